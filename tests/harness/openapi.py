"""Comparing our OpenAPI document with the published one: ours may say more, never less or something else."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "post", "put", "delete", "patch")

# Words for people, and what FastAPI derives from names.
_PROSE = {"title", "description", "summary", "example", "examples"}


def operations(document: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every operation by its id: method with path, and what is said of it."""
    return {
        operation["operationId"]: (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def bare(schema: Any) -> Any:
    """A schema without prose, with its alternatives, enumerations and required fields in one order."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: {name: bare(part) for name, part in value.items()} if key in ("properties", "$defs") else bare(value)
        for key, value in schema.items()
        if key not in _PROSE
    }
    for key in ("anyOf", "oneOf", "allOf", "enum", "required"):
        if key in kept:
            kept[key] = sorted(kept[key], key=lambda part: json.dumps(part, sort_keys=True))
    return kept


def differences(theirs: Any, ours: Any, place: str) -> Iterator[str]:
    """Where two bare schemas differ, one line each."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            if key not in ours:
                yield f"{place}.{key}: missing, published as {theirs[key]}"
            elif key not in theirs:
                yield f"{place}.{key}: not published, ours is {ours[key]}"
            else:
                yield from differences(theirs[key], ours[key], f"{place}.{key}")
    elif theirs != ours:
        yield f"{place}: published as {theirs}, ours is {ours}"


def _body(holder: Mapping[str, Any]) -> Any:
    return bare(holder.get("content", {}).get("application/json", {}).get("schema"))


def operation_differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], place: str) -> Iterator[str]:
    """Where our operation says less, or something else, than the published one."""

    def parameters(operation: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
        return {(each["in"], each["name"]): each for each in operation.get("parameters", [])}

    published, own = parameters(theirs), parameters(ours)
    for key in sorted(published.keys() | own.keys()):
        spot = f"{place} {key[0]} {key[1]}"
        if key not in own:
            yield f"{spot}: missing"
        elif key not in published:
            if own[key].get("required"):
                yield f"{spot}: required, but not published"
        else:
            if bool(published[key].get("required")) != bool(own[key].get("required")):
                yield f"{spot}: required differs"
            yield from differences(bare(published[key]["schema"]), bare(own[key]["schema"]), spot)
    yield from differences(_body(theirs.get("requestBody", {})), _body(ours.get("requestBody", {})), f"{place} body")
    for status, response in theirs["responses"].items():
        if status not in ours["responses"]:
            yield f"{place} {status}: not declared"
        else:
            yield from differences(_body(response), _body(ours["responses"][status]), f"{place} {status}")


def schemas_of(holder: Any, document: Mapping[str, Any]) -> set[str]:
    """The names of every schema that is reached from ``holder``."""
    found: set[str] = set()
    waiting = [holder]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
            if name and name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
    return found
