"""Slides through OpenSlide: every vendor format it knows, and the reference for pixels."""

import re
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray

from coverslip.slides.errors import NotASlide, NotAVolume, SlideUnreadable
from coverslip.slides.media_types import media_type_of
from coverslip.slides.mpp import mpp_from_openslide
from coverslip.slides.slide import Level, Slide, SlideInfo

DICOM_PREAMBLE_BYTES = 128
"""A DICOM file has 128 bytes of anything, then the letters DICM (PS3.10 section 7.1)."""


class OpenSlideSlide(Slide):
    """A slide read by OpenSlide, which interpolates where a window starts between two pixels of a lower level."""

    def __init__(self, path: Path, handle: openslide.OpenSlide) -> None:
        self._name, self._handle = path.name, handle
        properties = handle.properties
        mpp = mpp_from_openslide(properties) or (None, None)
        power = properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER)
        sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
        self.info = SlideInfo(
            width_px=handle.dimensions[0],
            height_px=handle.dimensions[1],
            levels=tuple(Level(width, height, downsample) for (width, height), downsample in sizes),
            mpp_x=mpp[0],
            mpp_y=mpp[1],
            objective_power=float(power) if power else None,
            vendor=properties[openslide.PROPERTY_NAME_VENDOR],
            media_type=media_type_of(path),
            reader=f"openslide {openslide.__library_version__}",
            associated_images=tuple(sorted(handle.associated_images)),
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
    NotAVolume
        If it is another image of a DICOM series, such as its thumbnail or label.
    SlideUnreadable
        If OpenSlide knows the format but cannot open the file.
    """
    try:
        handle = openslide.OpenSlide(path)
        return OpenSlideSlide(path, handle)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise NotASlide(name=path.name, reason="its format is unknown") from error
    except (openslide.OpenSlideError, ValueError) as error:
        image_type = _dicom_image_type(path)
        if image_type not in (None, "VOLUME"):
            raise NotAVolume(name=path.name, image_type=image_type) from error
        raise SlideUnreadable(name=path.name, place="opening", reason=error) from error


def over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay an RGBA image (h, w, 4), alpha not premultiplied, on white: RGB (h, w, 3)."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    blended = rgba[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return ((blended + 127) // 255).astype(np.uint8)


def _dicom_image_type(path: Path) -> str | None:
    """The third value of ImageType (0008,0008), such as VOLUME, THUMBNAIL or LABEL; None if it is no DICOM file."""
    with path.open("rb") as file:
        head = file.read(16 * 1024)
    if head[DICOM_PREAMBLE_BYTES : DICOM_PREAMBLE_BYTES + 4] != b"DICM":
        return None
    # Explicit VR little endian, which every encapsulated slide uses: tag, VR, two bytes of length, text.
    found = re.search(rb"\x08\x00\x08\x00CS..([A-Z\\ _]+)", head, re.DOTALL)
    values = found[1].decode("ascii").strip().split("\\") if found else []
    return values[2] if len(values) > 2 else None
