"""Metadata of an input artifact: built from a table row as the version's schema asks, and checked against it."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from coverslip.contract.fields import JsonObject
from coverslip.slides.media_types import media_type_of
from coverslip.workflow.table import SlideRow


def artifact_metadata(row: SlideRow, schema: JsonObject) -> JsonObject:
    """What is known of a slide and the schema has a place for. Unknown values are left out, not sent as null."""
    specimen = {"disease": row.disease, "tissue": row.tissue}
    known: JsonObject = {
        "checksum_base64_crc32c": row.checksum_base64_crc32c,
        "resolution_mpp": row.resolution_mpp,
        "width_px": row.width_px,
        "height_px": row.height_px,
        "media_type": media_type_of(row.external_id),
        "staining_method": row.staining_method,
        "specimen": {name: value for name, value in specimen.items() if value},
    }
    asked = schema.get("properties", known)
    return {name: value for name, value in known.items() if name in asked and value not in ("", None, {})}


def faults_in(metadata: JsonObject, schema: JsonObject) -> list[str]:
    """Why a schema refuses metadata, one line for each fault; empty if it does not."""
    faults = [line for error in Draft202012Validator(schema).iter_errors(metadata) for line in _explain(error)]
    return list(dict.fromkeys(faults))


def _explain(error: ValidationError) -> list[str]:
    """Name the column of the table and, where alternatives are constants, list them."""
    meant = _meant(error)
    if meant.validator == "required":
        required: Any = meant.validator_value
        missing = ["disease" if name == "specimen" else name for name in required if name not in _object(meant)]
        return [f"{name} is missing" for name in missing]
    place = ".".join(str(part) for part in meant.absolute_path).removeprefix("specimen.")
    message = meant.message
    if meant.validator == "const":
        alternatives = {str(part.validator_value) for part in error.context or [meant] if part.validator == "const"}
        message = f"{meant.instance!r} is not one of {', '.join(sorted(alternatives))}"
    return [f"{place}: {message}" if place else message]


def _meant(error: ValidationError) -> ValidationError:
    """The fault to tell: in an `anyOf` of objects, the branch that is meant is the one whose constant fits."""
    branches: dict[object, list[ValidationError]] = {}
    for part in error.context or []:
        branches.setdefault(part.schema_path[0], []).append(part)
    fitting = [parts for parts in branches.values() if all(part.validator != "const" for part in parts)]
    if len(fitting) == 1:
        return _meant(fitting[0][0])
    constants = [part for part in error.context or [] if part.validator == "const"]
    return constants[0] if constants and not fitting else error


def _object(error: ValidationError) -> JsonObject:
    return error.instance if isinstance(error.instance, dict) else {}
