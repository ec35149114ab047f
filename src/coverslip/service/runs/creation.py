"""Creating a run: checked as a whole, written in one transaction."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.applications import InputArtifact, OutputArtifact, OutputArtifactScope
from coverslip.contract.runs import RunCreationRequest, RunValidationResponse
from coverslip.service.access.principal import Principal
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.rules import ArtifactStatus
from coverslip.service.catalog import queries as catalog
from coverslip.service.catalog.errors import ApplicationNotFound, RunVersionNotFound
from coverslip.service.catalog.rules import newest_first
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.events.queries import NewEvent
from coverslip.service.items import queries as items
from coverslip.service.items.rules import ItemStatus
from coverslip.service.quotas.balances import require_room_for_run
from coverslip.service.quotas.usage import cost_of_slides
from coverslip.service.runs import queries
from coverslip.service.runs.errors import IdempotencyKeyReused, RunRefused
from coverslip.service.runs.own_inputs import find_own_inputs, hold_own_inputs
from coverslip.service.runs.rules import RunStatus, Statistics
from coverslip.service.runs.validation import Fault, faults_of
from coverslip.service.scheduling.rules import due_by


async def create_run(
    context: Context,
    principal: Principal,
    request: RunCreationRequest,
    idempotency_key: str | None,
    *,
    reuse_results: bool = True,
) -> UUID:
    """Check a request and write its run, items and artifacts; with a key used before, return the run made then.

    With ``reuse_results``, slides that the version has processed before get the results of then.

    Raises
    ------
    ApplicationNotFound, RunVersionNotFound, RunRefused, IdempotencyKeyReused, QuotaExceeded
    """
    now = datetime.now(UTC)
    async with context.database.transaction(principal.scope) as connection:
        version = await _version(connection, request)
    own = await find_own_inputs(context, principal, request, most=_most_inputs(context, version))
    digest = _digest(request, own.paths, reuse_results)
    async with context.database.transaction(principal.scope) as connection:
        if idempotency_key is not None:
            earlier = await queries.run_by_idempotency_key(
                connection,
                organization_id=principal.organization_id,
                user_id=principal.user_id,
                key=idempotency_key,
            )
            # Before anything is checked: what was right then, a due date for instance, need not be right now.
            if earlier is not None:
                if earlier.request_digest != digest:
                    raise IdempotencyKeyReused(run_id=earlier.id)
                return UUID(str(earlier.id))
        _refuse_faults(context, request, version, now, own.faults)
        await hold_own_inputs(connection, principal, request, own)
        await require_room_for_run(connection, principal, slides=len(request.items), now=now)
        run_id = await _insert(
            connection, principal, request, version, own.paths, now, idempotency_key, digest, reuse_results
        )
        await notify(connection, WORK)
    return run_id


async def validate_run(context: Context, principal: Principal, request: RunCreationRequest) -> RunValidationResponse:
    """Check a request as `create_run` does, and create nothing.

    Raises
    ------
    ApplicationNotFound, RunVersionNotFound, RunRefused, QuotaExceeded
    """
    now, slides = datetime.now(UTC), len(request.items)
    async with context.database.transaction(principal.scope) as connection:
        version = await _version(connection, request)
    own = await find_own_inputs(context, principal, request, most=_most_inputs(context, version))
    _refuse_faults(context, request, version, now, own.faults)
    async with context.database.transaction(principal.scope) as connection:
        await require_room_for_run(connection, principal, slides=slides, now=now)
        cost = await cost_of_slides(
            connection, principal.organization_id, version.application_id, version.number, slides
        )
    return RunValidationResponse(
        application_id=version.application_id,
        version_number=version.number,
        item_count=slides,
        cost=cost.amount if cost is not None else None,
        currency=cost.currency if cost is not None else None,
    )


def _most_inputs(context: Context, version: AnyRow) -> int:
    return context.settings.max_items_per_run * len(version.input_artifacts)


def _refuse_faults(
    context: Context, request: RunCreationRequest, version: AnyRow, now: datetime, object_faults: list[Fault]
) -> None:
    inputs = [InputArtifact.model_validate(declared) for declared in version.input_artifacts]
    faults = faults_of(request, inputs, now=now, max_items=context.settings.max_items_per_run)
    if faults or object_faults:
        raise RunRefused([*faults, *object_faults])


async def _version(connection: AsyncConnection, request: RunCreationRequest) -> AnyRow:
    if await catalog.application_by_id(connection, request.application_id) is None:
        raise ApplicationNotFound
    number = request.version_number
    if number is None:
        numbers = newest_first(row.number for row in await catalog.versions(connection, [request.application_id]))
        number = next(iter(numbers), "")
    version = await catalog.version(connection, request.application_id, number)
    if version is None:
        raise RunVersionNotFound
    return version


def _digest(request: RunCreationRequest, paths: Mapping[str, str], reuse_results: bool) -> bytes:
    """What two requests with one Idempotency-Key must have in common: what is to be processed, and how.

    Signatures in URLs of our own store, notes and timestamps may differ between an attempt and its repetition.
    """
    work = [
        request.application_id,
        request.version_number,
        [
            [
                item.external_id,
                [[a.name, paths.get(a.download_url, a.download_url), a.metadata] for a in item.input_artifacts],
            ]
            for item in request.items
        ],
    ]
    if not reuse_results:
        work.append("processed anew")
    return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).digest()


async def _insert(
    connection: AsyncConnection,
    principal: Principal,
    request: RunCreationRequest,
    version: AnyRow,
    paths: Mapping[str, str],
    now: datetime,
    idempotency_key: str | None,
    digest: bytes,
    reuse_results: bool,
) -> UUID:
    run_id = uuid4()
    scheduling = request.scheduling
    due_date = scheduling.due_date if scheduling else None
    status = RunStatus(Statistics(pending=len(request.items)))
    await queries.insert_run(
        connection,
        status,
        {
            "id": run_id,
            "organization_id": principal.organization_id,
            "submitted_by": principal.user_id,
            "application_id": version.application_id,
            "version_number": version.number,
            "custom_metadata": request.custom_metadata,
            "callback_context": request.callback_context,
            "due_date": due_date,
            "deadline": scheduling.deadline if scheduling else None,
            "due_by": due_by(now, due_date),
            "submitted_at": now,
            "idempotency_key": idempotency_key,
            "reuse_results": reuse_results,
            "request_digest": digest if idempotency_key is not None else None,
        },
    )
    declared = [OutputArtifact.model_validate(output) for output in version.output_artifacts]
    outputs = [output for output in declared if output.scope is OutputArtifactScope.ITEM]
    new_item, new_artifact = ItemStatus(), ArtifactStatus()
    item_rows, input_rows, output_rows = [], [], []
    for position, item in enumerate(request.items):
        common = {"item_id": (item_id := uuid4()), "organization_id": principal.organization_id}
        item_rows.append(
            {
                "id": item_id,
                "run_id": run_id,
                "organization_id": principal.organization_id,
                "position": position,
                "external_id": item.external_id,
                "custom_metadata": item.custom_metadata,
                "state": new_item.state,
                "attempt_count": 0,
            }
        )
        for artifact in item.input_artifacts:
            url = artifact.download_url
            details = {"name": artifact.name, "metadata": artifact.metadata, "download_url": url}
            input_rows.append({"id": uuid4(), **common, **details, "object_path": paths.get(url)})
        for place, output in enumerate(outputs):
            declared_output = {
                "name": output.name,
                "position": place,
                "state": new_artifact.state,
                "output": new_artifact.output,
            }
            output_rows.append({"id": uuid4(), "run_id": run_id, **common, **declared_output})
    await items.insert_items(connection, item_rows)
    await artifacts.insert_artifacts(connection, input_rows, output_rows)
    nothing = RunStatus(Statistics())
    locked = queries.LockedRun(
        run_id,
        principal.organization_id,
        principal.user_id,
        version.application_id,
        version.number,
        nothing,
        last_event=0,
    )
    submitted = NewEvent("run.submitted", payload={"item_count": len(request.items)})
    await queries.save_run(connection, locked, status, [submitted])
    return run_id
