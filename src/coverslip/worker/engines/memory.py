"""How much memory an application takes."""

import contextlib
from pathlib import Path

import psutil

_MIB = 1024 * 1024
_OWN = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


def used_memory_mb(pid: int, limit_mb: int) -> int:
    """Memory of a process and its descendants, in MiB.

    Resident memory is quick to read, but counts pages that processes share several times, and pages of mapped files,
    which the system can drop at any time. So when it is over the limit, the exact sum counts where the system tells it.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    used_mb = sum(_resident(member) for member in family) // _MIB
    if used_mb <= limit_mb:
        return used_mb
    return sum(_own(member) for member in family) // _MIB


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _own(process: psutil.Process) -> int:
    """Bytes that go away with the process: see proc_pid_smaps(5)."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident(process)
    fields = [line.split() for line in lines]
    return sum(int(field[1]) * 1024 for field in fields if field[0] in _OWN)
