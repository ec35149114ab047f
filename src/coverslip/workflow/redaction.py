"""Leaving secrets out of what is given to others."""

import re
from collections.abc import Mapping
from typing import Any

_LEFT_OUT = "(left out)"

# Whatever opens a file is its submitter's alone.
_OPENS_FILE = "download_url"

# Whose query may be a signature, and whose user part a password.
_ADDRESS = re.compile(
    r"\b(?P<scheme>[a-z][a-z0-9+.-]{0,20})://(?:[^\s/@\"']*@)?(?P<place>[^\s?#\"']*)[?#]?[^\s\"']*", re.IGNORECASE
)
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=\bBearer )\S+", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?P<name>(?:signature|credential|token|secret|passw(?:or)?d|api_?key|\bsig\b)[\w-]{0,40})"
    r"(?P<sign>[\"']?\s*[=:]\s*[\"']?)[^\s&,;\"']+",
    re.IGNORECASE,
)


def redacted(value: Any) -> Any:
    """JSON without addresses of files, in which no text holds the query of an address, a token or a password."""
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, Mapping):
        kept = {name: part for name, part in value.items() if not name.endswith(_OPENS_FILE)}
        return {_redacted_text(name): redacted(part) for name, part in kept.items()}
    if isinstance(value, list):
        return [redacted(part) for part in value]
    return value


def _redacted_text(text: str) -> str:
    text = _ADDRESS.sub(_without_query, text)
    text = _TOKEN.sub(_LEFT_OUT, text)
    return _PARAMETER.sub(lambda found: f"{found['name']}{found['sign']}{_LEFT_OUT}", text)


def _without_query(found: re.Match[str]) -> str:
    return f"{found['scheme']}://{found['place']}"
