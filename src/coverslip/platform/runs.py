"""Runs: submit them, find them, follow them, take their results."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from coverslip.contract.access import GrantRelation, ResourceType, SubjectType
from coverslip.contract.attempts import AttemptReadResponse
from coverslip.contract.events import RunEvent
from coverslip.contract.fields import JsonObject
from coverslip.contract.items import ItemCreationRequest, ItemResultReadResponse, ItemState, ItemTerminationReason
from coverslip.contract.metadata import CustomMetadataUpdateRequest, CustomMetadataUpdateResponse
from coverslip.contract.progress import ItemProgress
from coverslip.contract.runs import (
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
    RunState,
    RunValidationResponse,
    SchedulingRequest,
)
from coverslip.platform.access import AccessGrant, create_grant, list_grants
from coverslip.platform.api import Api, Params, segment
from coverslip.platform.downloads import download_file
from coverslip.platform.layout import planned_files, run_folder
from coverslip.platform.paging import MAX_PAGE_SIZE, rows
from coverslip.platform.sdk_metadata import with_sdk_metadata

RUNS = "/api/v1/runs"
EXTENSION_RUNS = "/api/coverslip/v1/runs"

_EVENTS_PAGE = 1000


class Artifact:
    """An output file of a run."""

    def __init__(self, api: Api, run_id: str, artifact_id: str, share_token: str | None = None) -> None:
        self._api, self.run_id, self.artifact_id, self._share_token = api, run_id, artifact_id, share_token

    def get_download_url(self) -> str:
        """A signed URL of the file, valid for about an hour; needs no login, so keep it to yourself.

        Raises
        ------
        NotFound, Gone
            If there is no such file, or it has been deleted.
        """
        path = f"{RUNS}/{segment(self.run_id)}/artifacts/{segment(self.artifact_id)}/file"
        return self._api.redirect_target(path, {"share_token": self._share_token})


class Run:
    """A run on the platform. Making one asks nothing; each method does."""

    def __init__(self, api: Api, run_id: str, share_token: str | None = None) -> None:
        self._api = api
        self.run_id = run_id
        self._share_token = share_token
        self._path = f"{RUNS}/{segment(run_id)}"

    def details(self) -> RunReadResponse:
        """State, statistics and metadata of the run.

        Raises
        ------
        NotFound
            If it does not exist or the caller may not see it.
        """
        return self._api.read(RunReadResponse, self._path, {"share_token": self._share_token})

    def results(
        self,
        item_ids: Sequence[str] | None = None,
        external_ids: Sequence[str] | None = None,
        *,
        state: ItemState | None = None,
        termination_reason: ItemTerminationReason | None = None,
        custom_metadata: str | None = None,
    ) -> Iterator[ItemResultReadResponse]:
        """The items of the run with their output artifacts, page by page; the arguments narrow them down."""
        params: Params = {
            "share_token": self._share_token,
            "item_id__in": list(item_ids) if item_ids is not None else None,
            "external_id__in": list(external_ids) if external_ids is not None else None,
            "state": state,
            "termination_reason": termination_reason,
            "custom_metadata": custom_metadata,
        }
        return rows(self._api, ItemResultReadResponse, f"{self._path}/items", params, page_size=MAX_PAGE_SIZE)

    def item(self, external_id: str) -> ItemResultReadResponse:
        """One item by the id it was submitted with.

        Raises
        ------
        NotFound
        """
        path = f"{self._path}/items/{segment(external_id)}"
        return self._api.read(ItemResultReadResponse, path, {"share_token": self._share_token})

    def progress(self) -> list[ItemProgress]:
        """How far the items are that workers are processing now."""
        path = f"{EXTENSION_RUNS}/{segment(self.run_id)}/progress"
        return self._api.read(list[ItemProgress], path, {"share_token": self._share_token})

    def attempts(self, item_id: UUID | str) -> list[AttemptReadResponse]:
        """What workers did with an item, and why each attempt ended, the newest last.

        Raises
        ------
        NotFound
        """
        path = f"{EXTENSION_RUNS}/{segment(self.run_id)}/items/{segment(str(item_id))}/attempts"
        return self._api.read(list[AttemptReadResponse], path, {"share_token": self._share_token})

    def events(self, after: int = 0) -> Iterator[RunEvent]:
        """What has happened to the run, page by page; only events with a higher number than `after`."""
        path = f"{EXTENSION_RUNS}/{segment(self.run_id)}/events"
        while True:
            params: Params = {"share_token": self._share_token, "after": after, "limit": _EVENTS_PAGE}
            events = self._api.read(list[RunEvent], path, params)
            yield from events
            if len(events) < _EVENTS_PAGE:
                return
            after = events[-1].number

    def cancel(self) -> None:
        """Stop the run: pending items are skipped, finished ones stay downloadable.

        Raises
        ------
        Conflict
            If it has ended already.
        """
        self._api.request("POST", f"{self._path}/cancel")

    def delete(self) -> None:
        """Delete the output files of an ended run; its records stay.

        Raises
        ------
        Conflict
            If it has not ended.
        Gone
            If they have been deleted already.
        """
        self._api.request("DELETE", f"{self._path}/artifacts")

    def grant_access(self, subject_type: SubjectType, subject_id: str) -> AccessGrant:
        """Let a user, an organization or the holders of a share token read the run; asked again, it is the same grant.

        Raises
        ------
        NotFound
            If there is no such run for the caller, or nobody of that name.
        AccessDenied
            If the run is not theirs to share.
        """
        return create_grant(self._api, ResourceType.RUN, self.run_id, subject_type, subject_id)

    def list_share_grants(
        self,
        subject_type: SubjectType | None = None,
        subject_id: str | None = None,
        relation: list[GrantRelation] | None = None,
        page_size: int = MAX_PAGE_SIZE,
    ) -> Iterator[AccessGrant]:
        """To whom the run has been granted, newest first, page by page; revoked grants too."""
        params: Params = {
            "resource_type": ResourceType.RUN,
            "resource_id": self.run_id,
            "subject_type": subject_type,
            "subject_id": subject_id,
        }
        return list_grants(self._api, params, relation=relation, page_size=page_size)

    def artifact(self, artifact_id: str) -> Artifact:
        """One output file."""
        return Artifact(self._api, self.run_id, artifact_id, self._share_token)

    def get_artifact_download_url(self, artifact_id: str) -> str:
        """See `Artifact.get_download_url`."""
        return self.artifact(artifact_id).get_download_url()

    def download_to_folder(
        self, download_base: Path | str, *, sleep_interval: float = 5, timeout_seconds: float | None = None
    ) -> Path:
        """Wait for the run to end and put its files under ``<download_base>/<run id>/<item>/``, each as soon as it is
        there. Files that are there already are left alone.

        Returns
        -------
        The run's folder.

        Raises
        ------
        TimeoutError
            If the run has not ended after `timeout_seconds`.
        """
        started = time.monotonic()
        folder = run_folder(Path(download_base), self.run_id)
        while True:
            ended = self.details().state is RunState.TERMINATED
            for file in planned_files(folder, list(self.results())):
                url = self.artifact(file.artifact_id).get_download_url
                download_file(self._api.http, url, file.path, file.checksum_base64_crc32c)
            if ended:
                return folder
            if timeout_seconds is not None and time.monotonic() - started > timeout_seconds:
                raise TimeoutError(f"The run {self.run_id} has not ended after {timeout_seconds} s.")
            time.sleep(sleep_interval)

    def update_custom_metadata(
        self,
        custom_metadata: JsonObject,
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """Replace the run's custom metadata; the checksum of the value last read guards against losing a change.

        Returns
        -------
        The checksum of the new value.

        Raises
        ------
        MetadataConflict
            If the value has changed since it was read.
        """
        if enrich_sdk_metadata:
            custom_metadata = with_sdk_metadata(custom_metadata)
        return self._update(f"{self._path}/custom-metadata", custom_metadata, custom_metadata_checksum)

    def update_item_custom_metadata(
        self, external_id: str, custom_metadata: JsonObject, *, custom_metadata_checksum: str | None = None
    ) -> str | None:
        """Replace an item's custom metadata; otherwise as `update_custom_metadata`."""
        path = f"{self._path}/items/{segment(external_id)}/custom-metadata"
        return self._update(path, custom_metadata, custom_metadata_checksum)

    def _update(self, path: str, custom_metadata: JsonObject, checksum: str | None) -> str | None:
        update = CustomMetadataUpdateRequest(custom_metadata=custom_metadata, custom_metadata_checksum=checksum)
        response = self._api.request("PUT", path, body=update.model_dump(mode="json"))
        return self._api.understand(CustomMetadataUpdateResponse, response).custom_metadata_checksum


class Runs:
    """The runs that the caller may see."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def __call__(self, run_id: str) -> Run:
        return Run(self._api, run_id)

    def submit(
        self,
        application_id: str,
        items: list[ItemCreationRequest],
        application_version: str | None = None,
        custom_metadata: JsonObject | None = None,
        scheduling: SchedulingRequest | None = None,
        callback_context: JsonObject | None = None,
        *,
        idempotency_key: str | None = None,
        reuse_results: bool = True,
    ) -> Run:
        """Start a run; the latest version when none is named. See `submit_request`."""
        request = RunCreationRequest(
            application_id=application_id,
            version_number=application_version,
            custom_metadata=custom_metadata,
            scheduling=scheduling,
            callback_context=callback_context,
            items=items,
        )
        return self.submit_request(request, idempotency_key=idempotency_key, reuse_results=reuse_results)

    def submit_request(
        self, request: RunCreationRequest, *, idempotency_key: str | None = None, reuse_results: bool = True
    ) -> Run:
        """Start a run. With an `idempotency_key` the same request may be sent again and gives the same run.

        Slides that the version has processed before get the results of then, unless `reuse_results` is False.

        Raises
        ------
        InvalidRequest, NotFound, QuotaExceeded
        """
        response = self._api.request(
            "POST",
            RUNS,
            params=None if reuse_results else {"reuse_results": False},
            body=request.model_dump(mode="json", exclude_none=True),
            headers={"Idempotency-Key": idempotency_key} if idempotency_key else None,
            repeatable=idempotency_key is not None,
        )
        return Run(self._api, str(self._api.understand(RunCreationResponse, response).run_id))

    def validate_request(self, request: RunCreationRequest) -> RunValidationResponse:
        """Check a request as `submit_request` does, quotas included, and start nothing; says what it would cost.

        Raises
        ------
        InvalidRequest, NotFound, QuotaExceeded
        """
        body = request.model_dump(mode="json", exclude_none=True)
        response = self._api.request("POST", RUNS, params={"validate_only": "true"}, body=body, repeatable=True)
        return self._api.understand(RunValidationResponse, response)

    def list(self, **filters: Any) -> Iterator[Run]:
        """As `list_data`, as runs to work with."""
        return (Run(self._api, str(run.run_id)) for run in self.list_data(**filters))

    def list_data(
        self,
        application_id: str | None = None,
        application_version: str | None = None,
        external_id: str | None = None,
        custom_metadata: str | None = None,
        sort: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
        for_organization: str | None = None,
        submitted_by: str | None = None,
    ) -> Iterator[RunReadResponse]:
        """Runs page by page. `custom_metadata` is a PostgreSQL jsonpath; `sort` a field, with ``-`` for descending."""
        params: Params = {
            "application_id": application_id,
            "application_version": application_version,
            "external_id": external_id,
            "custom_metadata": custom_metadata,
            "sort": sort,
            "for_organization": for_organization,
            "submitted_by": submitted_by,
        }
        return rows(self._api, RunReadResponse, RUNS, params, page_size=page_size)
