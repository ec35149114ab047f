"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) as the platform writes it: base64 of the four bytes, big-endian."""

import base64
from collections.abc import Callable
from pathlib import Path

import google_crc32c

from coverslip.slides.errors import ChecksumTooSlow, SlideInaccessible, SlideMissing

CHUNK_BYTES = 8 * 1024 * 1024


class Crc32c:
    """A checksum that grows with the bytes it is shown.

    Raises
    ------
    ChecksumTooSlow
        If google-crc32c came without its C implementation.
    """

    def __init__(self) -> None:
        if google_crc32c.implementation != "c":
            raise ChecksumTooSlow
        self._value = 0

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._value = google_crc32c.extend(self._value, data)

    @property
    def base64(self) -> str:
        """The checksum of all bytes so far, such as ``64RKKA==``."""
        return base64.b64encode(self._value.to_bytes(4, "big")).decode("ascii")


def crc32c_file(path: Path | str, progress: Callable[[int], None] | None = None) -> str:
    """The CRC-32C of a file in base64.

    ``progress`` is called with the number of bytes read since its last call.

    Raises
    ------
    SlideMissing
        If there is no such file.
    SlideInaccessible
        If it cannot be read.
    ChecksumTooSlow
        If google-crc32c came without its C implementation.
    """
    checksum = Crc32c()
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                checksum.update(chunk)
                if progress is not None:
                    progress(len(chunk))
    except FileNotFoundError as error:
        raise SlideMissing(name=Path(path).name) from error
    except OSError as error:
        raise SlideInaccessible(name=Path(path).name, reason=error.strerror or error) from error
    return checksum.base64
