"""What API v1.0.0 calls the things of today, and the other way round."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from coverslip.contract.artifacts import InputArtifactCreationRequest
from coverslip.contract.fields import SEMVER_PATTERN, JsonObject
from coverslip.contract.items import ItemCreationRequest, ItemTerminationReason
from coverslip.contract.legacy import ApplicationRunStatus, ItemStatus
from coverslip.contract.legacy import RunCreationRequest as LegacyRunCreationRequest
from coverslip.contract.runs import RunCreationRequest, RunTerminationReason
from coverslip.service.lifecycle import State
from coverslip.service.runs.rules import RunStatus

RUN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "application_run_id": ("run_id",),
    "application_version_id": ("application_id", "version_number"),
    "status": ("state", "termination_reason"),
    "triggered_at": ("submitted_at",),
    "triggered_by": ("submitted_by",),
}
"""The fields that runs can be sorted by, with their names of today."""

ITEM_FIELDS: Mapping[str, tuple[str, ...]] = {
    "item_id": ("item_id",),
    "reference": ("external_id",),
    "status": ("termination_reason",),
}
"""The same of items."""

_UNDECLARED = ("staining_method", "specimen")
"""Metadata that the last clients of API v1.0.0 send for every application, whether its schema knows it or not."""


def version_id(application_id: str, number: str) -> str:
    """``test-app:v1.0.0`` for an application and its version."""
    return f"{application_id}:v{number}"


def parse_version_id(text: str) -> tuple[str, str] | None:
    """Application and version of ``test-app:v1.0.0``; None for anything else."""
    application_id, separator, number = text.rpartition(":v")
    return (application_id, number) if separator and application_id and re.fullmatch(SEMVER_PATTERN, number) else None


def run_status(status: RunStatus) -> ApplicationRunStatus:
    """The status of a run: received, scheduled once a worker has begun, running once there is a first result."""
    statistics = status.statistics
    match status.termination_reason:
        case RunTerminationReason.CANCELED_BY_USER:
            return ApplicationRunStatus.CANCELED_USER
        case RunTerminationReason.CANCELED_BY_SYSTEM:
            return ApplicationRunStatus.CANCELED_SYSTEM
        case RunTerminationReason.ALL_ITEMS_PROCESSED:
            flawless = statistics.succeeded == statistics.total
            return ApplicationRunStatus.COMPLETED if flawless else ApplicationRunStatus.COMPLETED_WITH_ERROR
    if statistics.pending + statistics.processing < statistics.total:
        return ApplicationRunStatus.RUNNING
    return ApplicationRunStatus.SCHEDULED if status.state is State.PROCESSING else ApplicationRunStatus.RECEIVED


_ITEM_STATUS = {
    None: ItemStatus.PENDING,
    ItemTerminationReason.SUCCEEDED: ItemStatus.SUCCEEDED,
    ItemTerminationReason.USER_ERROR: ItemStatus.ERROR_USER,
    ItemTerminationReason.SYSTEM_ERROR: ItemStatus.ERROR_SYSTEM,
}


def item_status(ending: ItemTerminationReason | None, run_ending: RunTerminationReason | None) -> ItemStatus:
    """The status of an item that ended like this (None: not yet), in a run that ended like that."""
    if ending is ItemTerminationReason.SKIPPED:
        by_user = run_ending is RunTerminationReason.CANCELED_BY_USER
        return ItemStatus.CANCELED_USER if by_user else ItemStatus.CANCELED_SYSTEM
    return _ITEM_STATUS[ending]


def item_endings(
    statuses: Collection[ItemStatus], run_ending: RunTerminationReason | None
) -> list[ItemTerminationReason | None]:
    """How items of a run have ended that have one of these statuses: the inverse of `item_status`."""
    endings: tuple[ItemTerminationReason | None, ...] = (None, *ItemTerminationReason)
    return [ending for ending in endings if item_status(ending, run_ending) in statuses]


def sort_fields(fields: Sequence[str] | None, names: Mapping[str, tuple[str, ...]]) -> list[str]:
    """``sort`` parameters with the names of today; unknown ones stay, to be refused where all are."""
    translated = []
    for field in fields or ():
        name = field.lstrip("+- ")
        direction = "-" if field.startswith("-") else "+"
        translated += [direction + current for current in names.get(name, (name,))]
    return translated


def tolerant_schema(schema: JsonObject) -> JsonObject:
    """A metadata schema as the old clients must see it, which check what they are going to send themselves."""
    if schema.get("type") != "object" or schema.get("additionalProperties", True) is not False:
        return schema
    properties: dict[str, Any] = {name: {} for name in _UNDECLARED} | schema.get("properties", {})
    return schema | {"properties": properties}


def run_request(
    request: LegacyRunCreationRequest,
    application_id: str,
    number: str,
    schemas: Mapping[str, JsonObject],
) -> RunCreationRequest:
    """A request of today that asks for the same.

    Parameters
    ----------
    request
        What an old client sent.
    application_id, number
        Its ``application_version_id``, parsed.
    schemas
        The metadata schema of each input of that version; what the old clients add beyond it is left out.
    """
    items = [
        ItemCreationRequest(
            external_id=item.reference,
            input_artifacts=[
                artifact.model_copy(update={"metadata": _declared(artifact, schemas.get(artifact.name, {}))})
                for artifact in item.input_artifacts
            ],
        )
        for item in request.items
    ]
    return RunCreationRequest(application_id=application_id, version_number=number, items=items)


def _declared(artifact: InputArtifactCreationRequest, schema: JsonObject) -> JsonObject:
    if tolerant_schema(schema) is schema:
        return artifact.metadata
    known = schema.get("properties", {})
    return {name: value for name, value in artifact.metadata.items() if name in known or name not in _UNDECLARED}
