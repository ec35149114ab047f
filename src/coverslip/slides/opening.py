"""Choose the reader for a slide file."""

from pathlib import Path

from coverslip.slides.errors import NotASlide, SlideMissing
from coverslip.slides.slide import Slide


def open_slide(path: Path | str) -> Slide:
    """Open a whole slide image with the fastest reader that gives its exact pixels.

    Plain tiled TIFF and SVS go to `coverslip.slides.tiled_tiff`, every other format to OpenSlide.

    Raises
    ------
    SlideMissing, NotASlide, NotAVolume, SlideTruncated, SlideUnreadable
        See `coverslip.slides.errors`.
    """
    path = Path(path)
    if not path.exists():
        raise SlideMissing(name=path.name)
    if not path.is_file():
        raise NotASlide(name=path.name, reason="it is a folder")
    if path.stat().st_size == 0:
        raise NotASlide(name=path.name, reason="the file is empty")

    # The decoders take a third of a second to import, which clients that only list runs should not pay.
    from coverslip.slides.openslide_formats import open_by_openslide
    from coverslip.slides.tiff_integrity import check_not_truncated
    from coverslip.slides.tiled_tiff import open_tiled_tiff

    check_not_truncated(path)
    return open_tiled_tiff(path) or open_by_openslide(path)
