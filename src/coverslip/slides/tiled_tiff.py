"""The fast path: plain tiled RGB TIFF and SVS, tile by tile through imagecodecs.

Its pixels are those of OpenSlide, which it beats several times over because it touches only the tiles it needs and
copies each once. It takes 8-bit RGB in JPEG (shared tables too), Aperio's RGB JPEG 2000, deflate, LZW or uncompressed
tiles, with levels as directories or as OME SubIFDs. Everything else is left to OpenSlide: Aperio's YCbCr JPEG 2000
(33003) with its subsampled chroma, missing tiles, other vendors' ways with TIFF.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import imagecodecs
import numpy as np
import openslide
import tifffile
from numpy.typing import NDArray

from coverslip.slides.codestream import stated_size
from coverslip.slides.media_types import media_type_of
from coverslip.slides.mpp import (
    Mpp,
    aperio_fields,
    mpp_from_aperio,
    mpp_from_ome,
    mpp_from_resolution,
    positive,
    stated,
)
from coverslip.slides.slide import Level, Slide, SlideInfo
from coverslip.slides.tiles import TiledSlide

UNCOMPRESSED, LZW, JPEG, DEFLATE, OLD_DEFLATE, APERIO_JPEG2000_RGB = 1, 5, 7, 8, 32946, 33005
COMPRESSIONS = {UNCOMPRESSED, LZW, JPEG, DEFLATE, OLD_DEFLATE, APERIO_JPEG2000_RGB}
CODESTREAMS = {JPEG, APERIO_JPEG2000_RGB}
"""Compressions whose tiles state a size of their own; the others are decoded into room of the tile's size."""
RGB, YCBCR = 2, 6
MOST_CHEAP_TILE_PX = 4096 * 4096
"""Larger tiles are no longer cheap to decode for a small window."""
READER = f"tifffile {tifffile.__version__}, imagecodecs {imagecodecs.__version__}"


class TiledTiffSlide(TiledSlide):
    """A tiled TIFF or SVS slide."""

    def __init__(self, path: Path, file: tifffile.TiffFile, levels: Sequence[tifffile.TiffPage], vendor: str) -> None:
        self._name, self._file, self._pages = path.name, file, levels
        self._reading = threading.Lock()
        base = levels[0]
        fields = aperio_fields(base.description) if vendor == "aperio" else {}
        resolution = stated(_mpp_sources(base))
        self.info = SlideInfo(
            width_px=base.imagewidth,
            height_px=base.imagelength,
            levels=tuple(Level(p.imagewidth, p.imagelength, _downsample(base, p)) for p in levels),
            mpp_x=resolution.x,
            mpp_y=resolution.y,
            objective_power=positive(fields.get("AppMag")),
            vendor=vendor,
            media_type=media_type_of(path),
            reader=READER,
            associated_images=_associated_images(file) if vendor == "aperio" else (),
            mpp_sources=resolution.sources,
            warnings=resolution.warnings,
        )

    def close(self) -> None:
        """See `Slide.close`."""
        self._file.close()

    def _tile_px(self, level: int) -> tuple[int, int]:
        page = self._pages[level]
        return page.tilewidth, page.tilelength

    def _decoded_tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        page = self._pages[level]
        index = row * -(-page.imagewidth // page.tilewidth) + column
        with self._reading:
            handle = self._file.filehandle
            handle.seek(page.dataoffsets[index])
            data = handle.read(page.databytecounts[index])
        if page.compression in CODESTREAMS:
            self._check_codestream(level, data)
        tile: NDArray[np.uint8] = page.decode(data, index, jpegtables=page.jpegtables)[0][0]
        return tile


def open_tiled_tiff(path: Path) -> Slide | None:
    """Open ``path`` if it is a plain tiled TIFF or SVS; None for all else."""
    # OpenSlide does not recognize some plain TIFF, such as big-endian ones; `_is_plain` decides about those.
    vendor = openslide.OpenSlide.detect_format(path) or "generic-tiff"
    if vendor not in ("aperio", "generic-tiff"):
        return None
    try:
        file = tifffile.TiffFile(path)
    except Exception:  # OpenSlide decides about files that tifffile cannot parse
        return None
    try:
        levels = _levels(file, vendor)
        if levels and all(_is_plain(page) for page in levels):
            return TiledTiffSlide(path, file, levels, vendor)
    except Exception:  # a damaged directory may raise anything while it is parsed
        file.close()
        return None
    file.close()
    return None


def _levels(file: tifffile.TiffFile, vendor: str) -> list[tifffile.TiffPage]:
    pages = [file.pages[i].aspage() for i in range(len(file.pages))]
    base = pages[0]
    if base.subifds:
        reduced = list(base.pages)
    elif vendor == "aperio":
        reduced = [page for page in pages[1:] if page.is_tiled]
    else:
        reduced = [page for page in pages[1:] if page.is_tiled and page.is_reduced]
    return sorted([base, *reduced], key=lambda page: -page.imagewidth)


def _is_plain(page: tifffile.TiffPage) -> bool:
    return bool(
        page.is_tiled
        and page.dtype == np.uint8
        and page.samplesperpixel == 3
        and page.planarconfig == 1
        and page.imagedepth == page.tiledepth == 1
        and page.compression in COMPRESSIONS
        and (page.photometric == RGB or (page.photometric == YCBCR and page.compression == JPEG))
        and page.tilewidth * page.tilelength <= MOST_CHEAP_TILE_PX
        and (page.jpegtables is None or stated_size(page.jpegtables) is None)
        and len(page.dataoffsets) == len(page.databytecounts)
        and len(page.dataoffsets) == -(-page.imagewidth // page.tilewidth) * -(-page.imagelength // page.tilelength)
        and min(page.databytecounts) > 0
    )


def _downsample(base: tifffile.TiffPage, page: tifffile.TiffPage) -> float:
    return float((base.imagewidth / page.imagewidth + base.imagelength / page.imagelength) / 2)


def _mpp_sources(page: tifffile.TiffPage) -> dict[str, Mpp | None]:
    description = page.description
    sources = {"Aperio MPP": mpp_from_aperio(description), "OME PhysicalSize": mpp_from_ome(description)}
    if 282 in page.tags and 283 in page.tags:
        unit = page.tags.get(296)
        x, y = page.get_resolution()
        sources["TIFF resolution"] = mpp_from_resolution(float(x), float(y), 2 if unit is None else int(unit.value))
    return sources


def _associated_images(file: tifffile.TiffFile) -> tuple[str, ...]:
    """Aperio's convention: the second directory is the thumbnail, others are named in their description's line 2."""
    names = []
    for index in range(1, len(file.pages)):
        page = file.pages[index].aspage()
        if not page.is_tiled:
            lines = page.description.splitlines()
            words = lines[1].split() if len(lines) > 1 else []
            names.append("thumbnail" if index == 1 else words[0] if words else "other")
    return tuple(sorted(names))
