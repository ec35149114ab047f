"""A DICOM slide in a ZIP archive, as archives and web portals give it out (media type application/zip).

The archive is untrusted: its names are not used, and what it may unpack to is bounded before a byte is unpacked.
"""

import io
import math
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coverslip.slides.dicom import open_instances
from coverslip.slides.dicom_instances import PREAMBLE_BYTES, slide_in
from coverslip.slides.errors import ArchiveTooLarge, NotASlide, SlideError, SlideUnreadable
from coverslip.slides.media_types import media_type_of
from coverslip.slides.slide import Slide

MOST_FILES = 1000
MOST_UNPACKED_BYTES = 64 * 2**30
MOST_EXPANSION = 100
"""Unpacked bytes for each byte of the archive. Slides are compressed images, which shrink no further; bare glass
without compression shrinks some fifty times."""
MOST_BYTES_AT_ONCE = 4 * 2**20
"""The table of contents is read in one piece; that of `MOST_FILES` files has some 0.1 MB."""
COPY_BYTES = 2**20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


class ZippedDicomSlide(Slide):
    """A DICOM slide in a temporary folder, which is removed when the slide is closed."""

    def __init__(self, path: Path) -> None:
        """Unpack and open ``path``; see `open_zipped_dicom`."""
        self._folder = tempfile.TemporaryDirectory(prefix="coverslip-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        try:
            _unpack(path, folder)
            self._slide = open_instances(path.name, media_type_of(path), slide_in(folder, path.name))
        except BaseException:
            self._folder.cleanup()
            raise
        self.info = self._slide.info

    def read_region(self, x_px: int, y_px: int, level: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """See `Slide.read_region`."""
        return self._slide.read_region(x_px, y_px, level, width_px, height_px)

    def close(self) -> None:
        """See `Slide.close`."""
        self._slide.close()
        self._folder.cleanup()


def open_zipped_dicom(path: Path) -> ZippedDicomSlide:
    """Open the one DICOM slide in a ZIP archive.

    Raises
    ------
    NotASlide
        If it holds none or several, is encrypted, or is packed by another method than deflate.
    ArchiveTooLarge
        If it holds more than `MOST_FILES` files, would unpack to more than `MOST_UNPACKED_BYTES`, to more than
        `MOST_EXPANSION` times its own size, or to more than the disk has room for.
    SlideError
        If the archive or a file in it is damaged.
    """
    try:
        return ZippedDicomSlide(path)
    except (SlideError, OSError):
        raise
    except Exception as error:  # a damaged table of contents may raise anything while it is parsed
        raise SlideUnreadable(name=path.name, place="unpacking", reason=str(error) or repr(error)) from error


def _unpack(path: Path, folder: Path) -> None:
    with _FileInPieces(path) as file, zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _check_contents(path, members, shutil.disk_usage(folder).free)
        for number, member in enumerate(members):
            with archive.open(member) as packed:
                start = packed.read(PREAMBLE_BYTES + 4)
                if start[PREAMBLE_BYTES:] == b"DICM":
                    with (folder / f"{path.name}-{number}").open("wb") as unpacked:
                        unpacked.write(start)
                        shutil.copyfileobj(packed, unpacked, COPY_BYTES)


def _check_contents(path: Path, members: list[zipfile.ZipInfo], free_bytes: int) -> None:
    # zipfile unpacks no more of a file than the table of contents says, so what that says is what counts.
    unpacked_bytes = sum(member.file_size for member in members)
    expansion = unpacked_bytes / path.stat().st_size
    for what, claimed, limit in (
        ("files", len(members), MOST_FILES),
        ("bytes", unpacked_bytes, MOST_UNPACKED_BYTES),
        ("bytes for each of its own", math.ceil(expansion), MOST_EXPANSION),
        ("bytes", unpacked_bytes, free_bytes),
    ):
        if claimed > limit:
            raise ArchiveTooLarge(name=path.name, claim=f"{claimed:,} {what}", limit=f"{limit:,}")
    if any(member.flag_bits & ENCRYPTED or member.compress_type not in METHODS for member in members):
        raise NotASlide(name=path.name, reason="it is encrypted or packed by another method than deflate")


class _FileInPieces(io.FileIO):
    """A file that refuses to be read in one piece when that is large, so that a table of contents of any length, which
    zipfile would take into memory, is refused."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MOST_BYTES_AT_ONCE:
            raise zipfile.BadZipFile(f"a piece of {size:,} bytes, more than {MOST_BYTES_AT_ONCE:,}")
        return super().read(size)
