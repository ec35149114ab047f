"""API v1.0.0 is the published one: our document has every operation, parameter and field of its reference."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coverslip.service.legacy.api import legacy_api
from harness.openapi import operations

_OPERATION = re.compile(r"^### (\w+)\n(?:(?!^### ).*\n)*?`(GET|POST|DELETE) (\S+)`$", re.MULTILINE)
_ROW = re.compile(r"^\|([a-z]\w*)\|(.+)\|(true|false)\|[^|\n]*\|.*\|$", re.MULTILINE)
_PARAMETER = re.compile(r"^\|(\w+)\|(query|path)\|[^|]*\|(true|false)\|", re.MULTILINE)

ADDED = {"get_me_v1_me_get"}
"""The last clients of this API ask it, though its reference does not name it."""


@pytest.fixture(scope="module")
def page(reference: Path) -> str:
    return (reference / "api-v1.0.0-legacy-reference.md").read_text()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    ours: dict[str, Any] = json.loads(json.dumps(legacy_api().openapi()))
    return ours


def section(page: str, name: str) -> str:
    """What the page says below one heading."""
    return page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]


def test_operations_and_parameters(page: str, document: dict[str, Any]) -> None:
    published = {name: f"{method} {path}" for name, method, path in _OPERATION.findall(page)}
    own = operations(document)
    assert len(published) == 8
    assert own.keys() == published.keys() | ADDED
    for name, place in published.items():
        assert own[name][0] == place
        parameters = {(each["name"], each["in"], each["required"]) for each in own[name][1].get("parameters", [])}
        wanted = {(n, where, needed == "true") for n, where, needed in _PARAMETER.findall(section(page, name))}
        assert parameters == {each for each in wanted if each[1] != "body"}, name
        statuses = set(re.findall(r"^\|(\d{3})\|", section(page, name), re.MULTILINE))
        assert statuses <= own[name][1]["responses"].keys(), name


def test_schemas(page: str, document: dict[str, Any]) -> None:
    names = re.findall(r"^### ([A-Z]\w+)$", page.partition("\n## Schemas\n")[2], re.MULTILINE)
    assert len(names) == 21
    for name in names:
        ours, text = document["components"]["schemas"][name], section(page, name)
        if "enum" in ours:
            values = set(re.findall(rf"^\|{name}\|([A-Z_]+)\|$", text, re.MULTILINE))
            assert set(ours["enum"]) == values, name
            continue
        wanted = {field: needed == "true" for field, _, needed in _ROW.findall(text)}
        required, published = set(ours.get("required", [])), {field for field, needed in wanted.items() if needed}
        # What we send may be and promise more than was published; what we ask for may not.
        asked = name.endswith("Request")
        assert required == published if asked else required >= published, name
        fields = ours["properties"].keys()
        assert fields == wanted.keys() if asked else fields >= wanted.keys(), name
