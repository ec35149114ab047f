"""The folder of one attempt: made for it, removed after it, and after a worker that was killed.

It is locked while its worker lives; the system frees the lock when that ends, however it ends. So several workers can
share a disk, even if they do not see each other's processes. (On Windows, each needs a scratch folder of its own.)
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

_LOOK_S = 0.1

if sys.platform == "win32":

    @contextlib.contextmanager
    def _locked(folder: Path) -> Iterator[None]:
        yield

else:
    import fcntl

    @contextlib.contextmanager
    def _locked(folder: Path) -> Iterator[None]:
        """Hold the lock of a folder; an OSError if another process does, or there is no such folder."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)


def clean_up(scratch: Path) -> None:
    """Remove what workers that are gone left behind."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    for leftover in scratch.iterdir():
        with contextlib.suppress(OSError), _locked(leftover):
            _remove(leftover)


def clean_up_after(scratch: Path, item_id: UUID, attempt: int, patience_s: float) -> None:
    """Remove what an attempt leaves behind whose worker is being killed at this moment."""
    give_up_at = time.monotonic() + patience_s
    while any(scratch.glob(f"{_prefix(item_id, attempt)}*")) and time.monotonic() < give_up_at:
        clean_up(scratch)
        time.sleep(_LOOK_S)


@contextlib.asynccontextmanager
async def attempt_folder(scratch: Path, item_id: UUID, attempt: int) -> AsyncIterator[Path]:
    """An empty folder, removed with all that is in it at the end."""
    with contextlib.ExitStack() as lock:
        folder = _new_folder(scratch, _prefix(item_id, attempt), lock)
        try:
            yield folder
        finally:
            await _removed(folder)


async def _removed(folder: Path) -> None:
    """Remove a folder, even if this is cancelled meanwhile: a removal that waits for a thread would never begin."""
    removal = asyncio.create_task(asyncio.to_thread(_remove, folder))
    cancelled = None
    while not removal.done():
        try:
            await asyncio.wait([removal])
        except asyncio.CancelledError as error:
            cancelled = error
    await removal
    if cancelled is not None:
        raise cancelled


def _prefix(item_id: UUID, attempt: int) -> str:
    return f"{item_id}-{attempt}-"


def _new_folder(scratch: Path, prefix: str, lock: contextlib.ExitStack) -> Path:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=scratch))
        # A worker that starts at this moment may have taken it for left behind.
        with contextlib.suppress(OSError):
            lock.enter_context(_locked(folder))
            if folder.exists():
                return folder


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        # An application may have taken the right to write from folders of its own.
        for parent, names, _ in os.walk(folder):
            for path in (Path(parent, name) for name in names):
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
