"""docs/reference/api.md, of the OpenAPI documents of the service."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from markdown import anchor, code, joined, table

from coverslip.service.app import api_v1, extension_api
from coverslip.service.identity import oauth_routes

_METHODS = ("get", "post", "put", "delete", "patch")
_INTRODUCTION = """\
# HTTP API

Made of the service by `make docs`. A running platform shows the same, to be tried out, at `/api/v1/docs`; the documents
are at `/api/v1/openapi.json` and `/api/coverslip/v1/openapi.json`. Every operation but signing in needs
`Authorization: Bearer <token>`. Times are ISO 8601 in UTC. Lists come in pages (`page`, `page_size`).

Refused requests answer `{"detail": …}`; with `Accept: application/problem+json` also a stable `code` and a `remedy`
(RFC 9457), see [Errors](errors.md). A way through it: [Call the API](../how-to/call-the-api-from-any-language.md).
"""

Document = Mapping[str, Any]


def page() -> str:
    """The page."""
    sign_in = FastAPI(title="Sign-in")
    sign_in.include_router(oauth_routes.router)
    parts = {
        "API v1": ("/api", api_v1().openapi()),
        "Extensions": ("/api/coverslip/v1", extension_api().openapi()),
        "Sign-in": ("", sign_in.openapi()),
    }
    return joined(
        [_INTRODUCTION, *(block for name, (root, document) in parts.items() for block in _part(name, root, document))]
    )


def _part(name: str, root: str, document: Document) -> Iterator[str]:
    yield f"## {name}"
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield from _operation(f"{method.upper()} {root}{path}", methods[method])
    schemas = document.get("components", {}).get("schemas", {})
    for schema_name, schema in sorted(schemas.items()):
        if "ValidationError" not in schema_name:
            yield from _schema(schema_name, schema)


def _operation(heading: str, operation: Document) -> Iterator[str]:
    yield f"### {heading}"
    yield (operation.get("description") or operation.get("summary", "")).strip()
    rows = [
        (code(each["name"]), each["in"], _type(each["schema"]), _needed(each.get("required")), _said(each))
        for each in operation.get("parameters", [])
    ]
    yield table(("parameter", "in", "type", "", "means"), rows)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {_type(content['schema'])} (`{media_type}`)"
    yield "Answers: " + "; ".join(_answer(status, answer) for status, answer in operation["responses"].items()) + "."


def _answer(status: str, answer: Document) -> str:
    schemas = [content["schema"] for content in answer.get("content", {}).values() if content.get("schema")]
    kinds = [kind for kind in map(_type, schemas) if kind and "ValidationError" not in kind]
    said = answer.get("description", "").strip().rstrip(".")
    words = [f"({said})"] if said not in ("Successful Response", "Validation Error") else []
    return " ".join([f"**{status}**", *kinds, *words])


def _schema(name: str, schema: Document) -> Iterator[str]:
    yield f"### {name}"
    yield schema.get("description", "").strip().partition("\n\n")[0]
    if "enum" in schema:
        yield ", ".join(code(value) for value in schema["enum"])
    required = schema.get("required", [])
    rows = [
        (code(field), _type(inner), _needed(field in required), _said(inner))
        for field, inner in schema.get("properties", {}).items()
    ]
    yield table(("field", "type", "", "means"), rows)


def _type(schema: Document) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(part) for part in schema[key]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    return str(schema.get("format") or schema.get("type", ""))


def _needed(required: Any) -> str:
    return "required" if required else ""


def _said(part: Document) -> str:
    schema = part.get("schema", part)
    said = " ".join((part.get("description") or schema.get("description", "")).split())
    words = {"default": "default", "minimum": "at least", "maximum": "at most", "maxLength": "length at most"}
    limits = ", ".join(f"{word} {schema[key]}" for key, word in words.items() if schema.get(key) is not None)
    return f"{said} ({limits})".strip() if limits else said
