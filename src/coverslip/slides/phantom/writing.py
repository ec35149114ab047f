"""Write a phantom: the slide as a pyramid of JPEG tiles, and its truth beside it."""

import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile

from coverslip.pathology.classes import TISSUE, TISSUE_QC, label_of
from coverslip.slides.cores import usable_cores
from coverslip.slides.phantom.errors import PhantomNotWritable
from coverslip.slides.phantom.options import PhantomOptions, PhantomTruth
from coverslip.slides.phantom.painting import BLOCK_PX
from coverslip.slides.phantom.region_truth import write_regions
from coverslip.slides.phantom.spool import Reducer, Spool
from coverslip.slides.phantom.tiles import OWN_LEVELS, TILE_PX
from coverslip.slides.phantom.truth import LABEL_UM, Labels
from coverslip.slides.phantom.workers import BlockMaker, MadeBlock, made_blocks
from coverslip.slides.pyramid import strips_of, write_label_pyramid


def write(path: Path, options: PhantomOptions, jobs: int | None) -> PhantomTruth:
    """See `coverslip.slides.phantom.write_phantom`."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise PhantomNotWritable(name=path.name, reason="its suffix is not that of a TIFF")
    stem = path.name[: -len(path.suffix)]
    regions, nuclei, quality, tissue = (
        path.with_name(stem + end)
        for end in (".truth.geojson", ".truth.nuclei.geojsonl", ".truth.qc.tif", ".truth.tissue.tif")
    )
    label_px = round(LABEL_UM / options.mpp)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".phantom-") as folder:
            blocks = _Blocks(options, Path(folder), label_px, jobs or usable_cores())
            with nuclei.open("wb") as lines:
                blocks.write(path, lines)
            qc_map, kind_map, tissue_map = blocks.maps
            for target, labels, classes in ((quality, qc_map, TISSUE_QC), (tissue, tissue_map, TISSUE)):
                write_label_pyramid(target, labels.shape[1], labels.shape[0], LABEL_UM, strips_of(labels), classes)
            write_regions(regions, options, label_px, qc_map, kind_map, tissue_map)
    except OSError as error:
        raise PhantomNotWritable(name=path.name, reason=error.strerror or error) from error
    return PhantomTruth(path, regions, nuclei, quality, tissue, label_px, dict(blocks.nucleus_count))


class _Blocks:
    """Puts blocks where they belong: tiles into the pyramid or a spool, labels into maps on disk."""

    def __init__(self, options: PhantomOptions, folder: Path, label_px: int, jobs: int) -> None:
        self._options, self._folder, self._jobs = options, folder, jobs
        self._columns, self._rows = -(-options.width_px // BLOCK_PX), -(-options.height_px // BLOCK_PX)
        self._labels_px = BLOCK_PX // label_px
        shape = (self._rows * self._labels_px, self._columns * self._labels_px)
        planes = [np.memmap(folder / f"labels{i}", np.uint8, "w+", shape=shape) for i in range(3)]
        planes[0][:] = label_of(TISSUE_QC, "No Tissue")
        self._planes = planes
        width, height = -(-options.width_px // label_px), -(-options.height_px // label_px)
        self.maps: list[Labels] = [plane[:height, :width] for plane in planes]
        self.nucleus_count: Counter[str] = Counter()
        reached = math.ceil(math.log2(max(1.0, max(options.width_px, options.height_px) / TILE_PX)))
        self._levels = max(OWN_LEVELS, reached + 1)

    def write(self, path: Path, nuclei: BinaryIO) -> None:
        """Write the slide to ``path`` and the lines of its nuclei to ``nuclei``."""
        options = self._options
        maker = BlockMaker(options)
        self._glass_levels, self._glass_pixels = maker.glass()
        places = ((column, row) for row in range(self._rows) for column in range(self._columns))
        blocks = made_blocks(maker, options, places, self._jobs)
        with ExitStack() as stack, tifffile.TiffWriter(path, bigtiff=self._is_big()) as writer:
            spools = [stack.enter_context(Spool(self._folder / f"level{i}").open()) for i in range(1, self._levels)]
            for level in range(self._levels):
                width, height = (-(-size // 2**level) for size in (options.width_px, options.height_px))
                tiles = self._base_tiles(blocks, spools, nuclei) if level == 0 else spools[level - 1].tiles()
                across, down = -(-width // TILE_PX), -(-height // TILE_PX)
                stored = self._stored_columns(level)
                writer.write(
                    _cropped(tiles, stored, across, down),
                    shape=(height, width, 3),
                    dtype=np.uint8,
                    tile=(TILE_PX, TILE_PX),
                    photometric="ycbcr",
                    subsampling=(2, 2),
                    compression="jpeg",
                    subfiletype=int(level > 0),
                    resolution=(10_000 / (options.mpp * 2**level),) * 2,
                    resolutionunit="CENTIMETER",
                    metadata=None,
                    description=f"Coverslip phantom, seed {options.seed}" if level == 0 else None,
                    software="coverslip",
                )
                # The writer stops at the slide's last tile; what lies beyond it completes the levels above.
                for _ in tiles:
                    pass

    def _is_big(self) -> bool:
        return self._options.width_px * self._options.height_px > 2**32

    def _stored_columns(self, level: int) -> int:
        """Tiles in each row as they come: whole blocks, or at high levels whole tiles."""
        columns = self._columns * (BLOCK_PX // TILE_PX)
        return -(-columns // int(2**level))

    def _base_tiles(self, blocks: Iterator[MadeBlock | None], spools: list[Spool], nuclei: BinaryIO) -> Iterator[bytes]:
        """The tiles of level 0 row by row; those of other levels go to their spools on the way."""
        upper = Reducer(spools[OWN_LEVELS - 1 :])
        for row in range(self._rows):
            line = [next(blocks) for _ in range(self._columns)]
            levels = [made.levels if made else self._glass_levels for made in line]
            for level, side in ((1, 2), (2, 1)):
                for tile_row in range(side):
                    for of_block in levels:
                        spools[level - 1].add(of_block[level][tile_row * side : (tile_row + 1) * side])
            upper.add(np.hstack([made.pixels if made else self._glass_pixels for made in line]))
            for column, made in enumerate(line):
                if made:
                    nuclei.write(made.nuclei)
                    self.nucleus_count.update(made.nucleus_count)
                    self._keep_labels(column, row, made)
            for tile_row in range(4):
                for of_block in levels:
                    yield from of_block[0][tile_row * 4 : (tile_row + 1) * 4]
        upper.finish()

    def _keep_labels(self, column: int, row: int, made: MadeBlock) -> None:
        side = self._labels_px
        for plane, labels in zip(self._planes, made.labels, strict=True):
            plane[row * side : (row + 1) * side, column * side : (column + 1) * side] = labels


def _cropped(tiles: Iterator[bytes], stored: int, across: int, down: int) -> Iterator[bytes]:
    """Only the tiles that touch the slide; blocks reach beyond it."""
    for number, tile in enumerate(tiles):
        if number % stored < across and number // stored < down:
            yield tile
