"""Phantom slides: whole slide images that look like H&E, of any size, with the truth about every pixel and nucleus.

They need no download and no patient, and are the same wherever they are made, so tests, demos and measurements of
speed can rely on them. They are drawn and not real: a method that works on them need not work on tissue.
"""

from importlib.util import find_spec
from pathlib import Path

from coverslip.slides.phantom.errors import PhantomNeedsServer
from coverslip.slides.phantom.options import PenColor, PhantomOptions, PhantomTruth

__all__ = ["PenColor", "PhantomOptions", "PhantomTruth", "write_phantom"]

NEEDED = ("cv2", "scipy", "shapely")


def write_phantom(path: Path | str, options: PhantomOptions, jobs: int | None = None) -> PhantomTruth:
    """Write a phantom slide and its truth.

    The slide is a pyramid of JPEG tiles in TIFF, each level half the one before. Beside it, for ``NAME.tif``:
    ``NAME.truth.geojson``, ``NAME.truth.nuclei.geojsonl``, ``NAME.truth.qc.tif`` and ``NAME.truth.tissue.tif``; see
    `PhantomTruth`. Memory does not grow with the height of the slide and hardly with its width.

    Parameters
    ----------
    path
        The file to write, ending in ``.tif`` or ``.tiff``; what is there is overwritten.
    options
        What to draw. The same options give the same bytes with the same libraries, whatever ``jobs`` is.
    jobs
        Processes to use; None for one per core.

    Raises
    ------
    PhantomNeedsServer
        If OpenCV, SciPy or Shapely are missing, which the extra ``server`` brings.
    PhantomNotWritable
        If the path is no TIFF, its folder is missing, or the disk is full.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise PhantomNeedsServer(missing=", ".join(missing))
    from coverslip.slides.phantom.writing import write

    return write(Path(path), options, jobs)
