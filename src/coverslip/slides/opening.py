"""Choose the reader for a slide file."""

from pathlib import Path

from coverslip.slides.errors import NotASlide, SlideInaccessible, SlideMissing
from coverslip.slides.slide import Slide


def open_slide(path: Path | str, series: bool = True) -> Slide:
    """Open a whole slide image with the fastest reader that gives its exact pixels.

    Plain tiled TIFF and SVS go to `coverslip.slides.tiled_tiff`, DICOM (a file, the folder of a series, or a ZIP
    archive of one) to `coverslip.slides.dicom`, every other format to OpenSlide.

    Parameters
    ----------
    path
        The file or folder.
    series
        For one file of a DICOM series, whether its levels that lie in the same folder belong to the slide.

    Raises
    ------
    SlideMissing, SlideInaccessible, NotASlide, NotAVolume, SlideTruncated, SlideImplausible, ArchiveTooLarge,
    SlideUnreadable
        See `coverslip.slides.errors`.
    """
    path = Path(path)
    try:
        return _open(path, series)
    except FileNotFoundError as error:
        raise SlideMissing(name=path.name) from error
    except OSError as error:
        raise SlideInaccessible(name=path.name, reason=error.strerror or error) from error


def _open(path: Path, series: bool) -> Slide:
    # The decoders take from a third of a second to three seconds to import, which clients that only list runs, or open
    # no DICOM, should not pay.
    if path.is_dir():
        from coverslip.slides.dicom import open_dicom

        return open_dicom(path)
    if path.stat().st_size == 0:
        raise NotASlide(name=path.name, reason="the file is empty")
    if not path.is_file():
        raise NotASlide(name=path.name, reason="it is no regular file")
    with path.open("rb") as file:
        start = file.read(132)
    if start[128:] == b"DICM":
        from coverslip.slides.dicom import open_dicom

        return open_dicom(path, series)
    if start.startswith(b"PK\x03\x04"):
        from coverslip.slides.zipped_dicom import open_zipped_dicom

        return open_zipped_dicom(path)

    from coverslip.slides.openslide_formats import open_by_openslide
    from coverslip.slides.tiff_integrity import check_tiff
    from coverslip.slides.tiled_tiff import open_tiled_tiff

    check_tiff(path)
    return open_tiled_tiff(path) or open_by_openslide(path)
