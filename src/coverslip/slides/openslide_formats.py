"""Slides through OpenSlide: every vendor format it knows, and the reference for pixels."""

from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray

from coverslip.slides.errors import NotASlide, SlideUnreadable
from coverslip.slides.limits import check_level
from coverslip.slides.media_types import media_type_of
from coverslip.slides.mpp import mpp_from_openslide, mpp_from_openslide_tiff, positive, stated
from coverslip.slides.slide import Level, Slide, SlideInfo


class OpenSlideSlide(Slide):
    """A slide read by OpenSlide, which interpolates where a window starts between two pixels of a lower level."""

    def __init__(self, path: Path, handle: openslide.OpenSlide) -> None:
        self._name, self._handle = path.name, handle
        properties = handle.properties
        resolution = stated(
            {"OpenSlide": mpp_from_openslide(properties), "TIFF resolution": mpp_from_openslide_tiff(properties)}
        )
        for number, (width, height) in enumerate(handle.level_dimensions):
            check_level(path.name, f"level {number}", width, height, 1024, 1024)  # OpenSlide tells no tile sizes
        sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
        self.info = SlideInfo(
            width_px=handle.dimensions[0],
            height_px=handle.dimensions[1],
            levels=tuple(Level(width, height, downsample) for (width, height), downsample in sizes),
            mpp_x=resolution.x,
            mpp_y=resolution.y,
            objective_power=positive(properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER)),
            vendor=properties[openslide.PROPERTY_NAME_VENDOR],
            media_type=media_type_of(path),
            reader=f"openslide {openslide.__library_version__}",
            associated_images=tuple(sorted(handle.associated_images)),
            mpp_sources=resolution.sources,
            warnings=resolution.warnings,
        )

    def read_region(self, x_px: int, y_px: int, level: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """See `Slide.read_region`."""
        self._check_window(level, width_px, height_px)
        try:
            rgba = np.asarray(self._handle.read_region((x_px, y_px), level, (width_px, height_px)))
        except openslide.OpenSlideError as error:
            place = f"level {level}, x {x_px} px, y {y_px} px, {width_px} x {height_px} px"
            raise SlideUnreadable(name=self._name, place=place, reason=error) from error
        return over_white(rgba)

    def close(self) -> None:
        """See `Slide.close`."""
        self._handle.close()


def open_by_openslide(path: Path) -> Slide:
    """Open ``path`` with OpenSlide.

    Raises
    ------
    NotASlide
        If OpenSlide does not know the format.
    SlideUnreadable
        If OpenSlide knows the format but cannot open the file.
    """
    try:
        handle = openslide.OpenSlide(path)
        return OpenSlideSlide(path, handle)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise NotASlide(name=path.name, reason="its format is unknown") from error
    except (openslide.OpenSlideError, ValueError) as error:
        raise SlideUnreadable(name=path.name, place="opening", reason=error) from error


def over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay an RGBA image (h, w, 4), alpha not premultiplied, on white: RGB (h, w, 3)."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    blended = rgba[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return ((blended + 127) // 255).astype(np.uint8)
