"""docs/reference/settings.md, of the settings classes."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from markdown import code, joined, table
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from coverslip.models.settings import ModelSettings
from coverslip.platform.settings import Settings
from coverslip.service.settings import ServiceSettings
from coverslip.worker.settings import WorkerSettings

_INTRODUCTION = """\
# Settings

Made of the program by `make docs`. Every setting is an environment variable; the file `.env` in the working folder is
read too, and the environment wins over it. `coverslip up` sets what its parts need, and passes on the service's other
settings from its own environment.
"""
_CLASSES = {
    "The client: command line and library": Settings,
    "The service": ServiceSettings,
    "A worker": WorkerSettings,
    "Models": ModelSettings,
}


def page() -> str:
    """The page."""
    return joined([_INTRODUCTION, *(part for name, kind in _CLASSES.items() for part in _section(name, kind))])


def _section(name: str, kind: Any) -> Iterator[str]:
    yield f"## {name}"
    rows = [_row(f"COVERSLIP_{field.upper()}", info) for field, info in kind.model_fields.items()]
    yield table(("setting", "default", "limits", "means"), rows)


def _row(variable: str, info: FieldInfo) -> tuple[str, str, str, str]:
    limits = ", ".join(limit for constraint in info.metadata if (limit := _limit(constraint)))
    secret = " A secret." if SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ())) else ""
    return code(variable), _default(info), limits, f"{info.description or ''}{'.' if info.description else ''}{secret}"


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "found on this machine"
    if info.default is PydanticUndefined:
        return "required"
    value = info.default.value if isinstance(info.default, Enum) else info.default
    return "none" if value is None or value == () else code(value)


def _limit(constraint: Any) -> str:
    words = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
    bounds = ((word, getattr(constraint, name, None)) for name, word in words.items())
    return ", ".join(f"{word} {value}" for word, value in bounds if value is not None)
