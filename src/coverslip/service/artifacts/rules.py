"""What may happen to an output artifact, and where its file lies."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from coverslip.contract.artifacts import ArtifactOutput, ArtifactTerminationReason
from coverslip.service.lifecycle import State, change


@dataclass(frozen=True)
class ArtifactStatus:
    """Where an output artifact is, and how it ended if it did."""

    state: State = State.PENDING
    termination_reason: ArtifactTerminationReason | None = None
    output: ArtifactOutput = ArtifactOutput.NONE
    error_code: str | None = None
    error_message: str | None = None

    def uploading(self) -> "ArtifactStatus":
        """A worker was given a URL to upload it to; asked again, nothing changes."""
        return self if self.state is State.PROCESSING else ArtifactStatus(change(self.state, State.PROCESSING))

    def published(self) -> "ArtifactStatus":
        """Its file is in the store."""
        state = change(self.state, State.TERMINATED)
        return ArtifactStatus(state, ArtifactTerminationReason.SUCCEEDED, ArtifactOutput.AVAILABLE)

    def given_up(
        self, reason: ArtifactTerminationReason, error_code: str | None, error_message: str | None
    ) -> "ArtifactStatus":
        """Its item ended without it."""
        state = change(self.state, State.TERMINATED)
        return ArtifactStatus(state, reason, ArtifactOutput.NONE, error_code, error_message)


def attempt_prefix(organization_id: str, run_id: UUID, item_id: UUID, attempt: int) -> str:
    """Where an attempt's results are, and its uploads in the area of parts. No two attempts share it."""
    return f"{organization_id}/{run_id}/{item_id}/{attempt}/"


def uploaded_path(prefix: str, name: str) -> str:
    """Where a worker uploads an artifact to, in the area of parts and below an attempt's prefix."""
    return prefix + quote(name, safe="")


def result_path(prefix: str, name: str, content: str) -> str:
    """Where an artifact is in the area of results, below an attempt's prefix.

    What tells its content is a part of it, so nothing is ever written twice with different bytes.
    """
    return f"{prefix}{content}/{quote(name, safe='')}"
