"""The fields that models share: what they take is what a database and a JSON document can keep."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from coverslip.contract.errors import CoverslipError
from coverslip.contract.fields import MAX_JSON_DEPTH, DownloadUrl, Instant, JsonObject, SemanticVersion, StorableText

TEXT = TypeAdapter(StorableText)
JSON = TypeAdapter(JsonObject)
URL = TypeAdapter(DownloadUrl)
INSTANT = TypeAdapter(Instant)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(st.characters()), children, max_size=3),
    max_leaves=8,
)


def is_storable(value: Any) -> bool:
    """Checked value by value, not by how JSON is written."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, dict):
        return all(is_storable(key) and is_storable(child) for key, child in value.items())
    return all(is_storable(child) for child in value) if isinstance(value, list) else True


@given(value=st.dictionaries(st.text(st.characters()), VALUES, max_size=3))
def test_json_is_taken_as_it_is_or_not_at_all(value: dict[str, Any]) -> None:
    if is_storable(value):
        assert json.dumps(JSON.validate_python(value)) == json.dumps(value)
    else:
        with pytest.raises(ValidationError):
            JSON.validate_python(value)


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\", "u0000"])
def test_what_only_looks_like_nul_is_taken(text: str) -> None:
    assert JSON.validate_python({"a": text}) == {"a": text}


def nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels):
        value = {"a": [value]} if levels % 2 == 0 else {"a": value}
    return dict(value)


def test_json_is_taken_to_a_depth() -> None:
    assert JSON.validate_python(nested(MAX_JSON_DEPTH - 1))
    for levels in (MAX_JSON_DEPTH + 1, 5000):
        with pytest.raises(ValidationError, match="levels deep"):
            JSON.validate_python(nested(levels))


@given(text=st.text(st.characters()))
def test_text(text: str) -> None:
    if is_storable(text):
        assert TEXT.validate_python(text) == text
    else:
        with pytest.raises(ValidationError):
            TEXT.validate_python(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://a/b?X=%2F%2f&y=a+b#f",
        "http://127.0.0.1:8000/s",
        "http://[::1]/s",
        "HTTPS://Host/Ä",
        "https://a.example",
    ],
)
def test_urls_are_kept_to_the_letter(url: str) -> None:
    assert URL.validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s.svs",
        "/s.svs",
        "//host/s",
        "file:///s",
        "ftp://a/s",
        "javascript:x",
        "http://",
        "http:///s",
        "https://a/\x00",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(url)


@given(
    moment=st.datetimes(),
    offset=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
)
def test_times_are_utc(moment: datetime, offset: timedelta) -> None:
    aware = moment.replace(tzinfo=timezone(offset))
    try:
        expected = aware.astimezone(UTC)
    except OverflowError:
        with pytest.raises(ValidationError):
            INSTANT.validate_python(aware)
        return
    taken = INSTANT.validate_python(aware)
    assert (taken, taken.tzinfo) == (expected, UTC)
    with pytest.raises(ValidationError):
        INSTANT.validate_python(moment)


def test_versions() -> None:
    versions = TypeAdapter(SemanticVersion)
    for version in ("0.0.0", "1.2.3", "1.0.0-rc.1+build.5", "10.20.30"):
        assert versions.validate_python(version) == version
    for version in ("v1.0.0", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "", "1.0.0\n"):
        with pytest.raises(ValidationError):
            versions.validate_python(version)


def test_an_error_says_what_its_docstring_says() -> None:
    class SlideBroken(CoverslipError):
        """The slide {name} is broken
        after {size_bytes} bytes."""

    assert str(SlideBroken(name="{x}", size_bytes=7)) == "The slide {x} is broken after 7 bytes."
