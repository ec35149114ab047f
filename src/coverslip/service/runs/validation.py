"""Whether a run may be created as asked: every fault at once, each with its place in the request."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from coverslip.contract.applications import InputArtifact
from coverslip.contract.fields import JsonObject
from coverslip.contract.items import ItemCreationRequest
from coverslip.contract.runs import MAX_CALLBACK_CONTEXT_BYTES, RunCreationRequest, SchedulingRequest

_MAX_MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request."""

    place: tuple[str | int, ...]
    code: str
    message: str


def faults_of(
    request: RunCreationRequest, inputs: Sequence[InputArtifact], *, now: datetime, max_items: int
) -> list[Fault]:
    """Everything that keeps ``request`` from becoming a run of a version that takes ``inputs``."""
    return [
        *_faults_of_schedule(request.scheduling, now),
        *_faults_of_callback_context(request.callback_context),
        *_faults_of_items(request.items, inputs, max_items),
    ]


def _faults_of_schedule(scheduling: SchedulingRequest | None, now: datetime) -> Iterator[Fault]:
    if scheduling is None:
        return
    due_date, deadline = scheduling.due_date, scheduling.deadline
    for name, moment in (("due_date", due_date), ("deadline", deadline)):
        if moment is not None and moment <= now:
            yield Fault(("body", "scheduling", name), "SCHEDULE.PAST", f"The {name} {moment.isoformat()} is past")
    if due_date is not None and deadline is not None and due_date >= deadline:
        message = "The due_date must be before the deadline"
        yield Fault(("body", "scheduling", "due_date"), "SCHEDULE.DUE_AFTER_DEADLINE", message)


def _faults_of_callback_context(context: JsonObject | None) -> Iterator[Fault]:
    size_bytes = 0 if context is None else len(json.dumps(context, separators=(",", ":"), ensure_ascii=False).encode())
    if size_bytes > MAX_CALLBACK_CONTEXT_BYTES:
        message = f"callback_context has {size_bytes} bytes; at most {MAX_CALLBACK_CONTEXT_BYTES} are allowed"
        yield Fault(("body", "callback_context"), "CALLBACK_CONTEXT.TOO_LARGE", message)


def _faults_of_items(
    items: Sequence[ItemCreationRequest], inputs: Sequence[InputArtifact], max_items: int
) -> Iterator[Fault]:
    if len(items) > max_items:
        message = f"The run has {len(items)} items; at most {max_items} are allowed. Split it into several runs"
        yield Fault(("body", "items"), "RUN.TOO_MANY_ITEMS", message)
        return
    validators = {declared.name: _validator(declared.metadata_schema) for declared in inputs}
    seen: set[str] = set()
    for index, item in enumerate(items):
        place: tuple[str | int, ...] = ("body", "items", index)
        if item.external_id in seen:
            message = f"Duplicate external ID `{item.external_id}`"
            yield Fault((*place, "external_id"), "ITEM.DUPLICATE_EXTERNAL_ID", message)
        seen.add(item.external_id)
        yield from _faults_of_artifacts(item, validators, (*place, "input_artifacts"))


def _faults_of_artifacts(
    item: ItemCreationRequest, validators: Mapping[str, Validator], place: tuple[str | int, ...]
) -> Iterator[Fault]:
    missing = set(validators)
    for index, artifact in enumerate(item.input_artifacts):
        where = f"item `{item.external_id}`"
        validator = validators.get(artifact.name)
        if validator is None:
            expected = ", ".join(f"`{name}`" for name in sorted(validators))
            message = f"Invalid artifact `{artifact.name}` of {where}: this version takes {expected}"
            yield Fault((*place, index, "name"), "ARTIFACT.UNKNOWN_NAME", message)
            continue
        if artifact.name not in missing:
            message = f"Duplicate artifact `{artifact.name}` of {where}"
            yield Fault((*place, index, "name"), "ARTIFACT.DUPLICATE_NAME", message)
        missing.discard(artifact.name)
        for error in validator.iter_errors(artifact.metadata):
            path = "".join(f"{part}: " for part in error.absolute_path)
            message = f"Invalid metadata for artifact `{artifact.name}` of {where}: {path}{error.message}"
            spot = (*place, index, "metadata", *error.absolute_path)
            yield Fault(spot, "ARTIFACT.METADATA_INVALID", message[:_MAX_MESSAGE_LENGTH])
    for name in sorted(missing):
        yield Fault(place, "ARTIFACT.MISSING", f"Missing artifact(s) `{name}` of item `{item.external_id}`")


def _validator(schema: JsonObject) -> Validator:
    return validator_for(schema, default=Draft202012Validator)(schema)
