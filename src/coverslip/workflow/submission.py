"""From the rows of a metadata table to a run request that the version will accept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from coverslip.contract.applications import InputArtifact, VersionReadResponse
from coverslip.contract.artifacts import InputArtifactCreationRequest
from coverslip.contract.items import ItemCreationRequest
from coverslip.contract.me import MeReadResponse
from coverslip.contract.runs import RunCreationRequest, SchedulingRequest
from coverslip.platform.client import Client
from coverslip.platform.errors import Refused, ServerError
from coverslip.platform.sdk_metadata import SDK_KEY, Interface, run_sdk_metadata
from coverslip.workflow.errors import BadSchedule, InputsUnsupported, NotUploaded, TableFaulty
from coverslip.workflow.metadata import artifact_metadata, faults_in
from coverslip.workflow.pending import PendingSubmission, forget_pending, pending_of
from coverslip.workflow.table import FIRST_ROW, SlideRow, read_table


@dataclass(frozen=True)
class RunOptions:
    """What a person may say about a run besides its slides."""

    note: str | None = None
    tags: frozenset[str] = frozenset()
    scheduling: SchedulingRequest | None = None
    reuse_results: bool = True
    interface: Interface = Interface.SCRIPT


@dataclass(frozen=True)
class SubmittedRun:
    """A run on the platform; `resumed` when an earlier call had sent it already."""

    run_id: str
    application_id: str
    version_number: str
    resumed: bool


def submit_table(
    client: Client,
    table: Path,
    application_id: str,
    application_version: str | None = None,
    options: RunOptions | None = None,
) -> SubmittedRun:
    """Start a run of the slides in a table.

    The request is kept beside the table, under a key, before it is sent. Whatever interrupts the call, calling it again
    sends the same request under the same key and so gives the same run, until `forget_pending` is called.

    Raises
    ------
    TableUnusable, TableFaulty
    NotUploaded
        If a slide has no address.
    InputsUnsupported
    SubmissionUnfinished
        If another submission of this table waits to be finished.
    InvalidRequest, NotFound, QuotaExceeded
        If the platform refuses the run.
    """
    pending = pending_of(table, client.api_root, application_id, application_version)
    if pending is None:
        version = client.application_version(application_id, application_version)
        options = options or RunOptions()
        request = run_request(table, application_id, version, read_table(table), client.me(), options)
        pending = PendingSubmission.new(client.api_root, request, reuse_results=options.reuse_results)
        pending.save(table)
    elif pending.run_id is not None:
        return _submitted(pending, resumed=True)
    try:
        run = client.runs.submit_request(
            pending.request, idempotency_key=pending.idempotency_key, reuse_results=pending.reuse_results
        )
    except Refused as error:
        if not isinstance(error, ServerError):  # there is no run, and this request would be refused again
            forget_pending(table)
        raise
    pending.run_id = run.run_id
    pending.save(table)
    return _submitted(pending, resumed=False)


def run_request(
    table: Path,
    application_id: str,
    version: VersionReadResponse,
    rows: Sequence[SlideRow],
    me: MeReadResponse,
    options: RunOptions,
) -> RunCreationRequest:
    """The request for a run, after checking every row against the version's schema.

    Raises
    ------
    NotUploaded, InputsUnsupported, TableFaulty
    """
    artifact = _only_input(application_id, version)
    check_rows(table, rows, artifact)
    missing = [row.external_id for row in rows if not row.platform_bucket_url]
    if missing:
        raise NotUploaded(path=table, count=len(missing), faults=missing)
    sdk = run_sdk_metadata(options.interface, me, note=options.note, tags=set(options.tags))
    return RunCreationRequest(
        application_id=application_id,
        version_number=version.version_number,
        custom_metadata={SDK_KEY: sdk},
        scheduling=options.scheduling,
        items=[_item(row, artifact) for row in rows],
    )


def check_rows(table: Path, rows: Sequence[SlideRow], artifact: InputArtifact) -> None:
    """Refuse rows whose metadata the version would refuse.

    Raises
    ------
    TableFaulty
        With every fault: its row, its column, what is allowed.
    """
    faults = [
        f"row {number} ({Path(row.external_id).name}): {fault}"
        for number, row in enumerate(rows, FIRST_ROW)
        for fault in faults_in(artifact_metadata(row, artifact.metadata_schema), artifact.metadata_schema)
    ]
    if faults:
        raise TableFaulty(path=table, count=len(faults), faults=faults)


def check_table(client: Client, table: Path, application_id: str, application_version: str | None = None) -> None:
    """As `check_rows` for a table on disk: to be called before an upload, which may take hours.

    Raises
    ------
    TableUnusable, TableFaulty, InputsUnsupported, NotFound
    """
    version = client.application_version(application_id, application_version)
    check_rows(table, read_table(table), _only_input(application_id, version))


def parse_schedule(due_date: str | None, deadline: str | None) -> SchedulingRequest | None:
    """Understand due date and deadline: ISO 8601 with a time zone, in the future, the due date before the deadline.

    Raises
    ------
    BadSchedule
    """
    due = parse_instant("due date", due_date)
    last = parse_instant("deadline", deadline)
    if due and last and due >= last:
        raise BadSchedule(name="due date", value=due_date, reason="it is not before the deadline")
    return SchedulingRequest(due_date=due, deadline=last) if due or last else None


def parse_instant(name: str, text: str | None) -> datetime | None:
    """Understand a point of time in the future, in ISO 8601 with a time zone; `name` says what it is for.

    Raises
    ------
    BadSchedule
    """
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadSchedule(name=name, value=text, reason="it is no date and time") from None
    if instant.tzinfo is None:
        raise BadSchedule(name=name, value=text, reason="it has no time zone")
    if instant <= datetime.now(UTC):
        raise BadSchedule(name=name, value=text, reason="it is in the past")
    return instant


def _only_input(application_id: str, version: VersionReadResponse) -> InputArtifact:
    if len(version.input_artifacts) != 1:
        raise InputsUnsupported(
            application_id=application_id,
            version=version.version_number,
            count=len(version.input_artifacts),
            names=", ".join(artifact.name for artifact in version.input_artifacts),
        )
    return version.input_artifacts[0]


def _item(row: SlideRow, artifact: InputArtifact) -> ItemCreationRequest:
    metadata = artifact_metadata(row, artifact.metadata_schema)
    slide = InputArtifactCreationRequest(name=artifact.name, download_url=row.platform_bucket_url, metadata=metadata)
    return ItemCreationRequest(external_id=row.external_id, input_artifacts=[slide])


def _submitted(pending: PendingSubmission, *, resumed: bool) -> SubmittedRun:
    request = pending.request
    assert pending.run_id is not None
    assert request.version_number is not None
    return SubmittedRun(pending.run_id, request.application_id, request.version_number, resumed)
