"""Control groups (version 2), by which the kernel itself limits the memory of an application.

They need a part of the tree that was delegated to the worker, as systemd does by ``Delegate=yes`` and containers by a
writable ``/sys/fs/cgroup``. See https://docs.kernel.org/admin-guide/cgroup-v2.html, whose rules are: limits can be set
only below a group that has no processes of its own, and a group can be removed when it has no processes left.
"""

import contextlib
import errno
import functools
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

_MIB = 1024 * 1024
_OWN = "worker"
_REMOVE_S = 2.0
_LOOK_S = 0.01

log = logging.getLogger(__name__)


class ControlGroup:
    """A group for one application."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def entrance(self) -> Path:
        """A process that writes ``0`` in here is in the group, with all that it starts from then on."""
        return self._path / "cgroup.procs"

    def limit_memory(self, limit_mb: int) -> None:
        """Have all of the group killed when it needs more than ``limit_mb`` MiB; files it has read can be dropped."""
        (self._path / "memory.max").write_text(str(limit_mb * _MIB))
        (self._path / "memory.oom.group").write_text("1")
        with contextlib.suppress(FileNotFoundError):  # where the kernel counts no swapped memory
            (self._path / "memory.swap.max").write_text("0")

    def was_out_of_memory(self) -> bool:
        """Whether the kernel has killed it for that."""
        events = dict(line.split() for line in (self._path / "memory.events").read_text().splitlines())
        return events.get("oom_kill", "0") != "0"

    def remove(self) -> None:
        """Kill what is in the group, and remove it."""
        (self._path / "cgroup.kill").write_text("1")
        give_up_at = time.monotonic() + _REMOVE_S
        while True:
            try:
                self._path.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > give_up_at:
                    raise
                time.sleep(_LOOK_S)
            else:
                return


@contextlib.contextmanager
def memory_limited(limit_mb: int) -> Iterator[ControlGroup | None]:
    """A group with a limit on its memory, whose processes are killed at the end; None where there can be none."""
    parent = own_part()
    if parent is None:
        yield None
        return
    group = make_group(parent)
    try:
        group.limit_memory(limit_mb)
        yield group
    finally:
        try:
            group.remove()
        except OSError as error:
            log.warning("a control group was left behind: %s", error)


def make_group(parent: Path) -> ControlGroup:
    """A new group below another."""
    path = parent / f"coverslip-{uuid4()}"
    path.mkdir()
    return ControlGroup(path)


@functools.cache
def own_part() -> Path | None:
    """The group below which this process may limit memory, None if there is none. This process is in no other then."""
    part = find_own_part(Path("/proc/self"))
    if part is not None:
        log.info("the kernel limits the memory of applications, in control groups below %s", part)
    return part


def find_own_part(process: Path) -> Path | None:
    """The same, from the files of a process in ``/proc``; the process has a group below it afterwards.

    What is there is tried, not judged: it may be read-only, delegated in part, or have processes of others in it.
    """
    try:
        group = _group_of(process)
        if group is None or "memory" not in (group / "cgroup.controllers").read_text().split():
            return None
        if "memory" not in (group / "cgroup.subtree_control").read_text().split():
            _leave(group)
        return group if os.access(group, os.W_OK) else None
    except OSError:
        return None


def _group_of(process: Path) -> Path | None:
    """Where the group of a process lies, by cgroups(7) and proc_pid_mountinfo(5)."""
    own = next((line[3:] for line in (process / "cgroup").read_text().splitlines() if line.startswith("0::")), None)
    for line in (process / "mountinfo").read_text().splitlines():
        mounted, _, filesystem = line.partition(" - ")
        if filesystem.startswith("cgroup2 ") and own is not None:
            root, place = mounted.split()[3:5]
            below = own.removeprefix(root if root != "/" else "").lstrip("/")
            return Path(place) / below
    return None


def _leave(group: Path) -> None:
    """Move this process one group down, for its old group to be able to have limits below it."""
    own = group / _OWN
    own.mkdir(exist_ok=True)
    try:
        (own / "cgroup.procs").write_text("0")
        (group / "cgroup.subtree_control").write_text("+memory")
    except OSError:
        with contextlib.suppress(OSError):
            (group / "cgroup.procs").write_text("0")
            own.rmdir()
        raise
