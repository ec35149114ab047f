"""Commands that need more packages than the client installs say so."""

from collections.abc import Iterator
from contextlib import contextmanager

from coverslip.cli.failures import ExtraMissing


@contextmanager
def packages_of(extra: str) -> Iterator[None]:
    """Import in this block what only an extra installs.

    Raises
    ------
    ExtraMissing
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissing(package=error.name, extra=extra) from error
