"""docs/reference/errors.md, of every error class of the package."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

from markdown import code, joined, table

import coverslip
from coverslip.contract.errors import CoverslipError

_INTRODUCTION = """\
# Errors

Made of the program by `make docs`. The command line prints `Error CODE: message`; the API gives `code` to clients that
send `Accept: application/problem+json`. Codes stay the same from version to version, messages may improve. What stands
in braces is filled in.
"""
_BASES = {"COVERSLIP.ERROR", "EMBEDDED.ERROR", "EMBEDDED.CONFIGURATION"}


def page() -> str:
    """The page."""
    for module in pkgutil.walk_packages(coverslip.__path__, "coverslip."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    rows = sorted({(found.code, _message(found)) for found in _below(CoverslipError) if _is_met(found)})
    return joined([_INTRODUCTION, table(("code", "message"), [(code(name), message) for name, message in rows])])


def _below(kind: type[CoverslipError]) -> Iterator[type[CoverslipError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _is_met(kind: type[CoverslipError]) -> bool:
    """Errors with a code and a message of their own; not bases, nor what only passes on somebody else's message."""
    name = getattr(kind, "code", None)
    return isinstance(name, str) and name not in _BASES and _message(kind) not in ("", "`{message}`")


def _message(kind: type[CoverslipError]) -> str:
    return re.sub(r"(\{\w+(?:![rs])?(?::[^}]*)?\})", r"`\1`", " ".join((kind.__doc__ or "").split()))
