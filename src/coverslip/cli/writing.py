"""Commands that write a file say which and why when they cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Write ``out`` in this block, in a folder that is made if need be.

    Raises
    ------
    FolderUnusable
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        from coverslip.platform.errors import FolderUnusable

        raise FolderUnusable(path=out, reason=error.strerror or error) from error
