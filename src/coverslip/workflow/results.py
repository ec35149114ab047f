"""Bring the results of a run to a folder while it goes on, or after it."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from coverslip.contract.artifacts import ArtifactOutput
from coverslip.contract.errors import CoverslipError
from coverslip.contract.items import ItemResultReadResponse, ItemState, ItemTerminationReason
from coverslip.contract.runs import RunReadResponse
from coverslip.platform.client import Client
from coverslip.platform.downloads import download_file
from coverslip.platform.errors import (
    DiskFull,
    FolderUnusable,
    NotLoggedIn,
    ServerError,
    ServerUnreachable,
    SessionExpired,
    TransferCut,
)
from coverslip.platform.layout import PlannedFile, planned_files, run_folder
from coverslip.platform.runs import Run
from coverslip.workflow.events import (
    Event,
    FilesPlanned,
    ItemChanged,
    OnEvent,
    RunChanged,
    TransferAdvanced,
    TransferDone,
    TransferFailed,
    ignore,
)
from coverslip.workflow.parallel import Transfers
from coverslip.workflow.watch import PATIENCE_S, watch

RETRY_AFTER_S = 2.0


@dataclass
class RunResults:
    """A run, its items, and what was brought of them to `folder`."""

    folder: Path
    run: RunReadResponse | None = None
    items: dict[str, ItemResultReadResponse] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    failures: list[TransferFailed] = field(default_factory=list)

    @property
    def deleted(self) -> int:
        """How many items had results that have been deleted since."""
        gone = (ArtifactOutput.DELETED_BY_USER, ArtifactOutput.DELETED_BY_SYSTEM)
        return sum(any(artifact.output in gone for artifact in item.output_artifacts) for item in self.items.values())

    def count(self, reason: ItemTerminationReason) -> int:
        """How many items ended so."""
        return sum(item.termination_reason is reason for item in self.items.values())


def bring_results(
    client: Client,
    run: Run,
    destination: Path,
    on_event: OnEvent = ignore,
    *,
    wait_for_completion: bool = True,
    create_subdirectory_for_run: bool = True,
    create_subdirectory_per_item: bool = True,
    patience_s: float = PATIENCE_S,
) -> RunResults:
    """Download every file of the run as soon as it is there, to ``<destination>/<run id>/<slide>/``.

    With `wait_for_completion` it follows the run to its end; without, it brings what is there now. Files that are there
    already are left alone. A file that cannot be had is a `TransferFailed` among the results; the others go on.

    Raises
    ------
    DiskFull, FolderUnusable
        These stop all.
    ServerAwayTooLong, NotFound, NotLoggedIn
    """
    folder = run_folder(
        destination.expanduser().absolute(), run.run_id, create_subdirectory_for_run=create_subdirectory_for_run
    )
    results = RunResults(folder)
    poll_interval_s = client.settings.poll_interval_s
    events = watch(run, poll_interval_s=poll_interval_s, patience_s=patience_s) if wait_for_completion else _now(run)
    with Transfers(on_event) as transfers:
        bringer = _Bringer(client, run, transfers, patience_s)
        for event in events:
            transfers.report(event)
            if isinstance(event, ItemChanged):
                results.items[event.item.external_id] = event.item
            if isinstance(event, RunChanged):
                results.run = event.run
                items = list(results.items.values())
                files = planned_files(folder, items, create_subdirectory_per_item=create_subdirectory_per_item)
                bringer.start(files, _awaited(items) if wait_for_completion else 0)
            bringer.stop_if_hopeless()
        results.files, results.failures = bringer.finish()
    return results


def _now(run: Run) -> Iterator[Event]:
    """The run as it is, as events."""
    for item in run.results():
        yield ItemChanged(item)
    yield RunChanged(run.details())


def _awaited(items: Iterable[ItemResultReadResponse]) -> int:
    """How many files there will be of the items that have not ended, if all goes well."""
    return sum(len(item.output_artifacts) for item in items if item.state is not ItemState.TERMINATED)


class _Bringer:
    """The downloads of one run, each file once."""

    def __init__(self, client: Client, run: Run, transfers: Transfers, patience_s: float) -> None:
        self._client, self._run, self._transfers, self._patience_s = client, run, transfers, patience_s
        self._jobs: dict[str, Future[Path | TransferFailed]] = {}

    def start(self, files: Iterable[PlannedFile], awaited: int) -> None:
        new = {file.artifact_id: file for file in files if file.artifact_id not in self._jobs}
        self._transfers.report(FilesPlanned(len(self._jobs) + len(new) + awaited, awaited=awaited))
        for artifact_id, file in new.items():
            self._jobs[artifact_id] = self._transfers.start(self._bring, file)

    def stop_if_hopeless(self) -> None:
        """Raise what a download has met that stops all: a full disk need not wait for the end of the run."""
        for job in self._jobs.values():
            if job.done():
                job.result()

    def finish(self) -> tuple[list[Path], list[TransferFailed]]:
        outcomes = [job.result() for job in self._jobs.values()]
        files = [outcome for outcome in outcomes if isinstance(outcome, Path)]
        return files, [outcome for outcome in outcomes if isinstance(outcome, TransferFailed)]

    def _bring(self, file: PlannedFile) -> Path | TransferFailed:
        name = f"{file.path.parent.name}/{file.path.name}"
        give_up_at = time.monotonic() + self._patience_s
        while True:
            try:
                brought = download_file(
                    self._client.api.http,
                    self._run.artifact(file.artifact_id).get_download_url,
                    file.path,
                    file.checksum_base64_crc32c,
                    lambda done, total: self._transfers.report(TransferAdvanced(name, done, total)),
                )
            except (DiskFull, FolderUnusable, NotLoggedIn, SessionExpired):
                raise
            except CoverslipError as error:
                passing = isinstance(error, ServerUnreachable | ServerError | TransferCut)
                if passing and time.monotonic() < give_up_at:
                    self._transfers.pause(RETRY_AFTER_S)
                    continue
                failure = TransferFailed(name, str(error))
                self._transfers.report(failure)
                return failure
            self._transfers.report(TransferDone(name, was_there=not brought, size_bytes=file.path.stat().st_size))
            return file.path
