"""All that `coverslip wsi inspect` shows of a slide file."""

from dataclasses import dataclass
from pathlib import Path

from coverslip.slides.crc32c import crc32c_file
from coverslip.slides.opening import open_slide
from coverslip.slides.slide import SlideInfo


@dataclass(frozen=True)
class SlideInspection:
    """A slide file: its name, size in bytes, checksum, and what the slide in it says about itself.

    For the folder of a DICOM series the file is its largest volume, which stands for the slide in a run.
    """

    name: str
    size_bytes: int
    checksum_base64_crc32c: str
    info: SlideInfo


def inspect(path: Path | str) -> SlideInspection:
    """Open a slide, read its metadata and checksum.

    Raises
    ------
    SlideError
        One of `coverslip.slides.errors`, if it is missing, no slide, or truncated.
    """
    path = Path(path)
    with open_slide(path) as slide:
        info = slide.info
    if path.is_dir():
        from coverslip.slides.dicom_instances import slide_in

        path = slide_in(path, path.name)[0].path
    return SlideInspection(path.name, path.stat().st_size, crc32c_file(path), info)
