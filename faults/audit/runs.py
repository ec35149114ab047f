"""Runs, items and artifacts as their submitter sees them."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from coverslip.contract.artifacts import ArtifactOutput, OutputArtifactResultReadResponse
from coverslip.contract.items import ItemResultReadResponse, ItemState, ItemTerminationReason
from coverslip.contract.runs import RunReadResponse, RunTerminationReason
from coverslip.platform.errors import Refused
from coverslip.slides.crc32c import Crc32c
from faults.application.fault_probe import ARTIFACT_BYTES, content
from faults.finding import Finding, Kind
from faults.journey import Journey, insist
from faults.plan import Behaviour, Ending, Plan, PlannedItem, PlannedRun
from faults.stage import Stage

_DOWNLOADS_AT_ONCE = 4

_REASONS = {
    Ending.PROCESSED: (RunTerminationReason.ALL_ITEMS_PROCESSED, None),
    Ending.CANCELLED: (RunTerminationReason.CANCELED_BY_USER, None),
    Ending.OVERDUE: (RunTerminationReason.CANCELED_BY_SYSTEM, "SCHEDULER.DEADLINE_EXCEEDED"),
}
_ENDS = {
    Behaviour.SUCCEED: ItemTerminationReason.SUCCEEDED,
    Behaviour.TWIN: ItemTerminationReason.SUCCEEDED,
    Behaviour.CRASH_ONCE: ItemTerminationReason.SUCCEEDED,
    Behaviour.BLAME: ItemTerminationReason.USER_ERROR,
    Behaviour.DAMAGED: ItemTerminationReason.USER_ERROR,
    Behaviour.CRASH: ItemTerminationReason.SYSTEM_ERROR,
    Behaviour.HANG: ItemTerminationReason.SKIPPED,
}


def faults_of_lists(stage: Stage, plan: Plan) -> list[Finding]:
    """Whether each organization lists its planned runs, each once."""
    findings = []
    for number, client in enumerate(stage.clients):
        chosen = f'$.name ? (@ starts with "round-{plan.seed}-")'
        listed = insist(lambda: list(client.runs.list_data(custom_metadata=chosen)))  # noqa: B023 - asked at once
        found = Counter(str((run.custom_metadata or {})["name"]) for run in listed)
        expected = Counter(run.name for run in plan.runs if run.organization == number)
        findings += _differences("run", found, expected)
    return findings


def faults_of_run(stage: Stage, journey: Journey) -> tuple[list[ItemResultReadResponse], list[Finding]]:
    """The items of a run, and what is wrong with it and them."""
    assert journey.run is not None
    planned, run = journey.planned, journey.run
    details = insist(run.details)
    items = insist(lambda: list(run.results()))
    findings = [Finding(Kind.WRONG, f"{planned.name} {fault}") for fault in _of_details(planned, details, items)]
    external_ids = Counter(item.external_id for item in items)
    findings += _differences("item", external_ids, Counter(item.external_id for item in planned.items))
    by_id = {item.external_id: item for item in items}
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        pairs = [(item, by_id[item.external_id]) for item in planned.items if item.external_id in by_id]
        for found in pool.map(lambda pair: list(_of_item(stage, journey, *pair)), pairs):
            findings += found
    return items, findings


def _of_details(planned: PlannedRun, details: RunReadResponse, items: list[ItemResultReadResponse]) -> Iterator[str]:
    ended = (details.termination_reason, details.error_code)
    if ended != _REASONS[planned.ending]:
        yield f"ended as {ended}, not as {_REASONS[planned.ending]}"
    counts = Counter(item.termination_reason or item.state for item in items)
    statistics = details.statistics.model_dump()
    total = statistics.pop("item_count")
    said = {name.removeprefix("item_").removesuffix("_count").upper(): count for name, count in statistics.items()}
    if total != len(items) or {name: count for name, count in said.items() if count} != counts:
        yield f"has the statistics {total}, {said}, but its items are {dict(counts)}"


def _of_item(stage: Stage, journey: Journey, planned: PlannedItem, item: ItemResultReadResponse) -> Iterator[Finding]:
    allowed = {_ENDS[planned.behaviour]}
    if journey.planned.ending is not Ending.PROCESSED:
        allowed.add(ItemTerminationReason.SKIPPED)
    if item.state is not ItemState.TERMINATED:
        yield Finding(Kind.STUCK, f"{item.external_id} is {item.state}")
    elif item.termination_reason not in allowed:
        error = f"{item.error_code}: {item.error_message}"
        yield Finding(Kind.WRONG, f"{item.external_id} ({planned.behaviour}) is {item.termination_reason}: {error}")
    artifacts = Counter(artifact.name for artifact in item.output_artifacts)
    yield from _differences(f"artifact of {item.external_id}", artifacts, Counter(ARTIFACT_BYTES.keys()))
    succeeded = item.termination_reason is ItemTerminationReason.SUCCEEDED
    for artifact in item.output_artifacts:
        if artifact.output is ArtifactOutput.AVAILABLE:
            yield from _of_artifact(stage, journey, planned, artifact)
        elif succeeded:
            yield Finding(Kind.LOST, f"{artifact.name} of {item.external_id}, which succeeded, is {artifact.output}")


def _of_artifact(
    stage: Stage, journey: Journey, planned: PlannedItem, artifact: OutputArtifactResultReadResponse
) -> Iterator[Finding]:
    name = f"{artifact.name} of {planned.external_id}"
    assert journey.run is not None
    file = journey.run.artifact(str(artifact.output_artifact_id))
    try:
        found = insist(lambda: journey.client.api.fetch(file.get_download_url()))
    except Refused as error:
        yield Finding(Kind.LOST, f"{name} cannot be downloaded: {error}")
        return
    checksum = Crc32c()
    checksum.update(found)
    said = (artifact.metadata or {}).get("checksum_base64_crc32c")
    if said != checksum.base64:
        yield Finding(Kind.WRONG, f"{name} has the checksum {checksum.base64}, but its metadata say {said}")
    digest = hashlib.sha256(stage.slides[planned.slide].path.read_bytes()).hexdigest()
    if found != content(artifact.name, planned.sample, digest):
        yield Finding(Kind.WRONG, f"{name} is not what the application wrote ({len(found)} bytes)")


def _differences(what: str, found: Counter[str], expected: Counter[str]) -> list[Finding]:
    lost = [Finding(Kind.LOST, f"{what} {name}") for name in (expected - found).elements()]
    return lost + [Finding(Kind.DOUBLE, f"{what} {name}") for name in (found - expected).elements()]
