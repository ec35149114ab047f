"""What may happen to an item."""

from dataclasses import dataclass

from coverslip.contract.items import ItemOutput, ItemTerminationReason
from coverslip.service.lifecycle import State, change


@dataclass(frozen=True)
class ItemStatus:
    """Where an item is, and how it ended if it did."""

    state: State = State.PENDING
    termination_reason: ItemTerminationReason | None = None
    error_code: str | None = None
    error_message: str | None = None

    @property
    def output(self) -> ItemOutput:
        """FULL once the item succeeded: only then has it all its artifacts."""
        return ItemOutput.FULL if self.termination_reason is ItemTerminationReason.SUCCEEDED else ItemOutput.NONE

    def started(self) -> "ItemStatus":
        """A worker took it."""
        return ItemStatus(change(self.state, State.PROCESSING))

    def requeued(self) -> "ItemStatus":
        """Its attempt failed, and another is left."""
        return ItemStatus(change(self.state, State.PENDING))

    def terminated(
        self, reason: ItemTerminationReason, error_code: str | None = None, error_message: str | None = None
    ) -> "ItemStatus":
        """It ended, for good."""
        return ItemStatus(change(self.state, State.TERMINATED), reason, error_code, error_message)
