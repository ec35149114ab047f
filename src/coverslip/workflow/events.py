"""What happens while slides travel and runs proceed. Each event goes to the caller's callback, one at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coverslip.contract.items import ItemResultReadResponse
from coverslip.contract.progress import ItemProgress
from coverslip.contract.runs import RunReadResponse


@dataclass(frozen=True)
class FilesPlanned:
    """So many files are to be read, sent or brought in all; told again when that changes.

    `total_bytes` is None where sizes are known only as files come. `awaited` of the files do not exist yet: the run
    that makes them goes on.
    """

    count: int
    total_bytes: int | None = None
    awaited: int = 0


@dataclass(frozen=True)
class SlideRead:
    """Some more bytes of a slide have been read for its checksum."""

    path: Path
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class SlideUnreadable:
    """A slide cannot be used; the others go on."""

    path: Path
    reason: str


@dataclass(frozen=True)
class TransferAdvanced:
    """Some more bytes of a slide or a result have been sent or received."""

    name: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class TransferDone:
    """A file of `size_bytes` has arrived; `was_there` when it had arrived before."""

    name: str
    was_there: bool
    size_bytes: int


@dataclass(frozen=True)
class TransferFailed:
    """A result could not be brought; the others go on."""

    name: str
    reason: str


@dataclass(frozen=True)
class RunChanged:
    """The run's state or statistics are new."""

    run: RunReadResponse


@dataclass(frozen=True)
class ItemChanged:
    """An item's state is new."""

    item: ItemResultReadResponse


@dataclass(frozen=True)
class ItemAdvanced:
    """An item that is being processed is further."""

    progress: ItemProgress


@dataclass(frozen=True)
class ServerAway:
    """The platform does not answer; it is asked again and again for some minutes."""

    reason: str


@dataclass(frozen=True)
class ServerBack:
    """The platform answers again."""


Event = (
    FilesPlanned
    | SlideRead
    | SlideUnreadable
    | TransferAdvanced
    | TransferDone
    | TransferFailed
    | RunChanged
    | ItemChanged
    | ItemAdvanced
    | ServerAway
    | ServerBack
)
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """For callers that do not watch."""
