"""What this machine has for items, and what of it is in use."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from coverslip.contract.worker import Room
from coverslip.worker.settings import WorkerSettings

_MIB = 1024 * 1024
_VISIBLE = "CUDA_VISIBLE_DEVICES"


class Machine:
    """Keeps room for the items that are processed here.

    Parameters
    ----------
    cpu
        Processor cores for items.
    memory_mb
        Memory for items, in MiB.
    gpus
        Names of the graphics processors for items, as CUDA knows them.
    """

    def __init__(self, *, cpu: float, memory_mb: int, gpus: Sequence[str]) -> None:
        self.total = Room(cpu=cpu, memory_mb=memory_mb, gpu=len(gpus))
        self._in_use: list[Room] = []
        self._free_gpus = list(gpus)
        self._freed = asyncio.Event()

    @property
    def free(self) -> Room:
        """What is left. An item that was leased although it does not fit leaves nothing."""
        return Room(
            cpu=max(0, self.total.cpu - sum(room.cpu for room in self._in_use)),
            memory_mb=max(0, self.total.memory_mb - sum(room.memory_mb for room in self._in_use)),
            gpu=len(self._free_gpus),
        )

    @property
    def is_empty(self) -> bool:
        return not self._in_use

    async def wait_for_room(self) -> None:
        """Return when an item might fit."""
        while self.free.cpu == 0 or self.free.memory_mb == 0:
            self._freed.clear()
            await self._freed.wait()

    @contextlib.contextmanager
    def reserved(self, needs: Room) -> Iterator[tuple[str, ...]]:
        """Keep room for an item; yields the graphics processors that are its own meanwhile."""
        gpus = [self._free_gpus.pop(0) for _ in range(min(needs.gpu, len(self._free_gpus)))]
        self._in_use.append(needs)
        try:
            yield tuple(gpus)
        finally:
            self._in_use.remove(needs)
            self._free_gpus += gpus
            self._freed.set()


def machine_of(settings: WorkerSettings) -> Machine:
    """This machine, or what of it the settings leave to items."""
    gpus = _gpus()
    return Machine(
        cpu=settings.worker_cpu if settings.worker_cpu is not None else _cpu(),
        memory_mb=settings.worker_memory_mb if settings.worker_memory_mb is not None else _memory_mb(),
        gpus=gpus if settings.worker_gpu is None else gpus[: settings.worker_gpu],
    )


def _cpu() -> float:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _of_control_group("cpu.max").partition(" ")
    return min(cores, int(quota) / int(period)) if quota.isdecimal() and period.isdecimal() else cores


def _memory_mb() -> int:
    total = psutil.virtual_memory().total
    limit = _of_control_group("memory.max")
    return (min(total, int(limit)) if limit.isdecimal() else total) // _MIB


def _of_control_group(name: str) -> str:
    """A limit of the container that this runs in; empty if there is none."""
    try:
        return (Path("/sys/fs/cgroup") / name).read_text().strip()
    except OSError:
        return ""


def _gpus() -> list[str]:
    visible = os.environ.get(_VISIBLE)
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
