"""The folder of one attempt: made for it, removed after it, and after a worker that was killed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psutil


def clean_up(scratch: Path) -> None:
    """Remove what workers that are gone left behind. Folders are named after the process that made them."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    for leftover in scratch.iterdir():
        owner, _, _ = leftover.name.partition("-")
        if owner.isdigit() and (int(owner) == os.getpid() or not psutil.pid_exists(int(owner))):
            shutil.rmtree(leftover, ignore_errors=True)


@contextlib.contextmanager
def attempt_folder(scratch: Path, item_id: UUID, attempt: int) -> Iterator[Path]:
    """An empty folder, removed with all that is in it at the end."""
    folder = scratch / f"{os.getpid()}-{item_id}-{attempt}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
