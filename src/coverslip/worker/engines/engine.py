"""What the worker's slots need of an engine."""

from dataclasses import dataclass
from typing import Protocol

from coverslip.contract.worker import Lease, Room
from coverslip.worker.api import Granted

_LONGEST_WAIT_S = 20.0


@dataclass(frozen=True)
class Offer:
    """Room for another item.

    Attributes
    ----------
    free, total
        As in a `LeaseRequest`.
    wait_s
        How long to ask for an item that fits, before the engine is asked what it offers by then.
    """

    free: Room | None = None
    total: Room | None = None
    wait_s: float = _LONGEST_WAIT_S


def needs_of(lease: Lease) -> Room:
    """What has to be kept for an item."""
    return Room(cpu=lease.cpu, memory_mb=lease.memory_limit_mb, gpu=lease.gpu)


class Engine(Protocol):
    """Runs the attempts at leased items, somewhere."""

    async def room(self) -> Offer:
        """Wait until there is room for another item, and say how much. Not called again until an item was leased."""
        ...

    async def attempt(self, granted: Granted) -> None:
        """Take an item to its end, or drop it when its lease is lost. Cancelled, it gives the item back.

        Whichever way it ends, no process, no file and no reserved resource of the attempt is left anywhere.

        Raises
        ------
        WorkerFault
            If the item, which was reported, met a fault that the next one will meet too.
        """
        ...
