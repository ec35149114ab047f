"""DICOM slides through wsidicom, which knows their tilings, transfer syntaxes and colour spaces.

OpenSlide reads DICOM too, but takes the YBR_ICT and YBR_RCT of JPEG 2000 for RGB, so its colours can be wrong.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import wsidicom  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pydicom.uid import RLELossless
from wsidicom.codec.decoder import PydicomDecoder  # type: ignore[import-untyped]
from wsidicom.file import WsiDicomFileSource  # type: ignore[import-untyped]
from wsidicom.geometry import Point  # type: ignore[import-untyped]

from coverslip.slides.dicom_instances import Instance, slide_in, slide_of
from coverslip.slides.errors import SlideError, SlideTruncated, SlideUnreadable
from coverslip.slides.media_types import media_type_of
from coverslip.slides.mpp import Mpp, plausible, stated
from coverslip.slides.slide import Level, SlideInfo
from coverslip.slides.tiles import TiledSlide

# It logs a traceback for each file that it refuses; here that becomes one error.
logging.getLogger("wsidicom").setLevel(logging.CRITICAL)

READER = f"wsidicom {wsidicom.__version__}"


class DicomSlide(TiledSlide):
    """A pyramid of DICOM instances, one or (in a concatenation) several files for each level."""

    def __init__(self, name: str, media_type: str, instances: Sequence[Instance]) -> None:
        """``instances`` are those of one slide, as `slide_of` and `slide_in` give them."""
        self._name = name
        volumes = [instance for instance in instances if instance.image_type == "VOLUME"]
        self._sources: list[WsiDicomFileSource] = []
        self._levels: list[_LevelImage] = []
        try:
            for _, level in groupby(volumes, key=lambda instance: (instance.width_px, instance.height_px)):
                self._open_level(list(level))
            base = volumes[0]
            resolution = stated(_mpp_sources(self._levels[0].image, base))
            self.info = SlideInfo(
                width_px=base.width_px,
                height_px=base.height_px,
                levels=tuple(_level(base, image.instance) for image in self._levels),
                mpp_x=resolution.x,
                mpp_y=resolution.y,
                objective_power=base.objective_power,
                vendor="dicom",
                media_type=media_type,
                reader=READER,
                associated_images=tuple(sorted({i.image_type.lower() for i in instances} - {"volume"})),
                mpp_sources=resolution.sources,
                warnings=resolution.warnings,
            )
            for number, image in enumerate(self._levels):
                # Reads the tables of all frames, and finds an end that is missing.
                last = image.instance
                self._frame(
                    number, (last.height_px - 1) // last.tile_height_px, (last.width_px - 1) // last.tile_width_px
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """See `Slide.close`."""
        for source in self._sources:
            source.close()

    def _open_level(self, files: Sequence[Instance]) -> None:
        source = WsiDicomFileSource.open([instance.path for instance in files])
        self._sources.append(source)
        self._levels.append(_LevelImage(files[0], next(iter(source.level_instances)).image_data))

    def _tile_px(self, level: int) -> tuple[int, int]:
        instance = self._levels[level].instance
        return instance.tile_width_px, instance.tile_height_px

    def _decoded_tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        width_px, height_px = self._tile_px(level)
        frame = self._frame(level, row, column)
        if frame is None:
            return np.full((height_px, width_px, 3), 255, np.uint8)
        pixels = self._levels[level].decode(frame)
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)

    def _frame(self, level: int, row: int, column: int) -> bytes | None:
        """The encoded frame; None where a sparse slide has none."""
        found = self._levels[level]
        tile = Point(column, row)
        if found.image.is_sparse(tile, found.focal_plane, found.optical_path):
            return None
        frame: bytes = found.image.get_encoded_tile(tile, found.focal_plane, found.optical_path)
        if found.states_its_size:
            self._check_codestream(level, frame)
        elif len(frame) < found.least_bytes:
            evidence = f"tile row {row}, column {column} has {len(frame):,} of {found.least_bytes:,} bytes"
            raise SlideTruncated(name=found.instance.path.name, evidence=evidence)
        return frame


class _LevelImage:
    """The image data of one level, in the middle focal plane and the first optical path."""

    def __init__(self, instance: Instance, image: Any) -> None:
        self.instance, self.image = instance, image
        self.focal_plane, self.optical_path = image.default_z, image.default_path
        self.states_its_size = instance.encapsulated and instance.transfer_syntax != RLELossless
        tile_px = instance.tile_width_px * instance.tile_height_px
        self.least_bytes = 1 if instance.encapsulated else tile_px * image.samples_per_pixel
        # pydicom decodes a frame out of a data set that all threads share; the other decoders keep nothing.
        stateful = isinstance(image.decoder, PydicomDecoder)
        self._turn: AbstractContextManager[Any] = Lock() if stateful else nullcontext()

    def decode(self, frame: bytes) -> NDArray[np.uint8]:
        """The pixels of an encoded frame, (height, width) or (height, width, samples)."""
        with self._turn:
            return np.asarray(self.image.decoder.decode(frame), np.uint8)


def open_dicom(path: Path, series: bool = True) -> DicomSlide:
    """Open the slide that a DICOM file belongs to, or the one that lies in a folder.

    With ``series`` the levels of the slide that lie beside the file belong to it; otherwise it stands alone.

    Raises
    ------
    NotAVolume
        If the file is a thumbnail, label or overview.
    NotASlide
        If it is another DICOM object or part of an image in several files, or the folder holds none or several slides.
    SlideTruncated, SlideImplausible, SlideUnreadable
        If a file is damaged.
    """
    if path.is_dir():
        return open_instances(path.name, "application/dicom", slide_in(path, path.name))
    return open_instances(path.name, media_type_of(path), slide_of(path, series))


def open_instances(name: str, media_type: str, instances: Sequence[Instance]) -> DicomSlide:
    """Open the instances of one slide; ``name`` is that of the slide in errors. See `open_dicom`."""
    try:
        return DicomSlide(name, media_type, instances)
    except (SlideError, OSError):
        raise
    except Exception as error:  # a damaged data set may raise anything while it is parsed
        raise SlideUnreadable(name=name, place="opening", reason=str(error) or repr(error)) from error


def _level(base: Instance, instance: Instance) -> Level:
    width_px, height_px = instance.width_px, instance.height_px
    return Level(width_px, height_px, (base.width_px / width_px + base.height_px / height_px) / 2)


def _mpp_sources(image: Any, base: Instance) -> dict[str, Mpp | None]:
    """Pixel Spacing (0028,0030), and Imaged Volume Width and Height (0048,0001), (0048,0002) over the pixels."""
    spacing = image.pixel_spacing
    sources = {"DICOM Pixel Spacing": spacing and plausible(1000 * float(spacing.width), 1000 * float(spacing.height))}
    if base.imaged_width_mm and base.imaged_height_mm:
        x, y = base.imaged_width_mm / base.width_px, base.imaged_height_mm / base.height_px
        sources["DICOM Imaged Volume"] = plausible(1000 * x, 1000 * y)
    return sources
