"""One platform at a time on a home folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from coverslip.embedded.address import read_address
from coverslip.embedded.errors import AlreadyRunning
from coverslip.embedded.home import Home

if sys.platform == "win32":
    import msvcrt

    # Windows refuses to read a locked region, so the lock lies far behind the process id that the file holds.
    _LOCKED_BYTE = 1 << 30

    def _acquire(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the home's lock; the operating system frees it when the process ends, however it ends.

    Raises
    ------
    AlreadyRunning
        If another process holds it; names its process id and address.
    """
    path = home.run / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _acquire(descriptor)
        except OSError as error:
            address = read_address(home)
            raise AlreadyRunning(
                home=home.root,
                pid=path.read_text().strip() or "unknown",
                address=address.url if address else "still starting",
            ) from error
        home.address_file.unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
