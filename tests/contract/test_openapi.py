"""API v1 is the published one: our document says all that the published document says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coverslip.service.app import api_v1
from harness.openapi import bare, differences, operation_differences, operations, schemas_of

MEANT: set[str] = set()
"""Differences that are meant."""


@pytest.fixture(scope="module")
def published(reference: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((reference / "openapi-v1.8.0.json").read_text())
    return document


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    # As a client reads it.
    document: dict[str, Any] = json.loads(json.dumps(api_v1().openapi()))
    return document


def test_the_published_operations_are_there(published: dict[str, Any], ours: dict[str, Any]) -> None:
    theirs, own = operations(published), operations(ours)
    assert own.keys() == theirs.keys(), "additions belong below /api/coverslip"
    for operation_id, (place, _) in own.items():
        # FastAPI's documents show a path parameter without its converter.
        assert place == theirs[operation_id][0]


def test_the_operations_are_as_published(published: dict[str, Any], ours: dict[str, Any]) -> None:
    theirs, own = operations(published), operations(ours)
    found = {
        line
        for operation_id, (place, operation) in own.items()
        for line in operation_differences(theirs[operation_id][1], operation, place)
    }
    assert "\n".join(sorted(found - MEANT)) == ""
    assert found >= MEANT, "what is no difference any more must not be listed as one"


def test_the_schemas_are_as_published(published: dict[str, Any], ours: dict[str, Any]) -> None:
    used = schemas_of(ours["paths"], ours)
    unknown = used - published["components"]["schemas"].keys()
    assert unknown == set(), "no schema has a name that clients do not know, nor an -Input and -Output half"
    found = {
        line
        for name in sorted(used)
        for line in differences(
            bare(published["components"]["schemas"][name]), bare(ours["components"]["schemas"][name]), name
        )
    }
    assert "\n".join(sorted(found)) == ""


def test_where_the_api_is_and_how_to_sign_in(published: dict[str, Any], ours: dict[str, Any]) -> None:
    assert ours["servers"] == published["servers"]
    assert ours["info"]["version"] == published["info"]["version"]
    assert ours["components"]["securitySchemes"].keys() == published["components"]["securitySchemes"].keys()
    theirs, own = operations(published), operations(ours)
    for operation_id, (_, operation) in own.items():
        assert operation.get("security") == theirs[operation_id][1].get("security"), operation_id
        assert operation.get("tags") == theirs[operation_id][1].get("tags"), operation_id


def test_every_operation_and_field_is_explained(ours: dict[str, Any]) -> None:
    for place, operation in operations(ours).values():
        assert operation["summary"], place
        assert operation["description"], place
        for status, response in operation["responses"].items():
            assert response["description"], (place, status)


def test_path_parameters_come_in_the_order_of_the_path(ours: dict[str, Any]) -> None:
    # Generated clients take them by position.
    for place, operation in operations(ours).values():
        named = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", place), place
