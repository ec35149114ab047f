"""A submission that is not over: kept beside its metadata table, so that no interruption makes a second run."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from coverslip.contract.runs import RunCreationRequest
from coverslip.workflow.errors import SubmissionUnfinished, TableUnusable

SUFFIX = ".submission.json"


class PendingSubmission(BaseModel):
    """The request as it was first sent, its key, and the run once it is known.

    The very same request is sent again, since signed URLs made later would make it another one. The file has these URLs
    in it, so only its owner can read it.
    """

    api_root: str
    idempotency_key: str
    request: RunCreationRequest
    reuse_results: bool = True
    run_id: str | None = None

    @classmethod
    def new(cls, api_root: str, request: RunCreationRequest, *, reuse_results: bool = True) -> Self:
        """A submission that has not been sent."""
        return cls(api_root=api_root, idempotency_key=str(uuid4()), request=request, reuse_results=reuse_results)

    def save(self, table: Path) -> None:
        """Keep it beside the table.

        Raises
        ------
        TableUnusable
            If nothing can be written there.
        """
        path = pending_path(table)
        try:
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.model_dump_json(exclude_none=True))
            Path(temporary).replace(path)
        except OSError as error:
            raise TableUnusable(path=path, reason=error.strerror or error) from error


def pending_path(table: Path) -> Path:
    """``slides.csv`` has its submission in ``slides.submission.json``."""
    return table.with_name(table.stem + SUFFIX)


def read_pending(table: Path) -> PendingSubmission | None:
    """The submission of a table that is not over, or None."""
    try:
        return PendingSubmission.model_validate_json(pending_path(table).read_bytes())
    except (OSError, ValidationError):
        return None


def pending_of(
    table: Path, api_root: str, application_id: str, application_version: str | None
) -> PendingSubmission | None:
    """The same, if it is of this application at this platform.

    Raises
    ------
    SubmissionUnfinished
        If it is of another one.
    """
    pending = read_pending(table)
    if pending is None:
        return None
    request = pending.request
    same_version = application_version in (None, request.version_number)
    if pending.api_root != api_root or request.application_id != application_id or not same_version:
        raise SubmissionUnfinished(
            path=pending_path(table),
            found=f"{request.application_id} {request.version_number} at {pending.api_root}",
            asked=f"{application_id} {application_version or ''} at {api_root}".replace("  ", " "),
        )
    return pending


def forget_pending(table: Path) -> None:
    """The submission is over; the next one of this table is a new run."""
    with suppress(FileNotFoundError):
        pending_path(table).unlink()
