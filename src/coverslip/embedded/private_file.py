"""Files that only their owner may read, written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` with mode 0600, atomically.

    A reader sees the former file or the new one, never a part, even after a power cut.

    Raises
    ------
    OSError
        If the folder cannot be written or the disk is full; the former file is then untouched.
    """
    # mkstemp makes the file with mode 0600 whatever the umask.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
