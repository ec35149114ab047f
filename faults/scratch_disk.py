"""The disk of the second worker's scratch folder, which can be filled up."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Room for a few slides above the reserve that a worker keeps.
_SIZE = "160m"
_CHUNK = bytes(1024 * 1024)

# From linux/sched.h
_CLONE_NEWNS = 0x00020000


class ScratchDisk:
    """A small disk with a folder on it.

    Attributes
    ----------
    folder
        For scratch folders.
    can_fill
        Whether it is a disk of its own, which takes root's rights; otherwise it is a folder like any other.
    """

    def __init__(self, folder: Path, *, can_fill: bool) -> None:
        self.folder = folder
        self.can_fill = can_fill
        self._ballast = folder.with_name("ballast")

    def fill(self) -> None:
        """Leave no room on it."""
        assert self.can_fill
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(_CHUNK)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def scratch_disk(place: Path) -> Iterator[ScratchDisk]:
    """A disk at ``place``; nobody but this process and its children sees it, and it ends with them."""
    place.mkdir()
    mounted = _mount(place)
    folder = place / "scratch"
    folder.mkdir()
    try:
        yield ScratchDisk(folder, can_fill=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


def _mount(place: Path) -> bool:
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(_CLONE_NEWNS) != 0:
        return False
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(place)],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return False
    return True
