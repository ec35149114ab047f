"""What painted regions look like: the features of the grid cells in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.applications.slide_input import COARSEST_MPP, FINEST_MPP
from coverslip.applications.tissue_maps import MARGIN_UM, OVERVIEW_PX, grid_of, read_tile
from coverslip.models.errors import SlideNotForTraining
from coverslip.models.tissue_training.annotations import PaintedRegion, read_annotations
from coverslip.models.tissue_training.painting import NOTHING, paint
from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.reference import slide_reference
from coverslip.pathology.tissue_features import tissue_features
from coverslip.slides.opening import open_slide
from coverslip.slides.slide import SlideInfo

TILE_PX = 512
MOST_CELLS = 1000
"""Of a place, about: more of the same tissue says little more."""


@dataclass(frozen=True)
class PaintedSlide:
    """A slide, and the file with what was painted on it."""

    slide: Path
    annotations: Path


@dataclass(frozen=True)
class Samples:
    """Grid cells from painted regions, n of them.

    Attributes
    ----------
    table
        float32 (n, features), `coverslip.pathology.tissue_features.TISSUE_FEATURES`.
    labels
        uint8 (n,), of `TISSUE`.
    places, slides
        int64 (n,), the numbers of the place and the slide that each cell is of. Regions of one class that lie too close
        together to say anything about each other are one place.
    painted_mm2
        Area of the regions.
    """

    table: NDArray[np.float32]
    labels: NDArray[np.uint8]
    places: NDArray[np.int64]
    slides: NDArray[np.int64]
    painted_mm2: float

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that were painted, in the order of `TISSUE`."""
        return tuple(name for name in TISSUE if label_of(TISSUE, name) in self.labels)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The number of each cell's class in `class_names`, (n,)."""
        return np.unique(self.labels, return_inverse=True)[1]


def gather_samples(painted: Sequence[PaintedSlide], mpp: float | None, tell: Callable[[str], None]) -> Samples:
    """Measure what was painted on some slides; the same input gives the same cells.

    Parameters
    ----------
    mpp
        Micrometres per level-0 pixel of slides that do not say theirs.
    tell
        Told of every slide that was read.

    Raises
    ------
    SlideError
        If a slide cannot be read.
    SlideNotForTraining
        If its resolution is not known, or not that of a scan.
    AnnotationsUnreadable, AnnotationClassUnknown, AnnotationUnusable
        If a file, or an annotation in it, cannot be used.
    """
    parts: list[Samples] = []
    for number, one in enumerate(painted):
        first_place = sum(len(np.unique(part.places)) for part in parts)
        part = _of_slide(one, mpp, number, first_place)
        tell(f"{one.slide.name}: {part.painted_mm2:.3g} mm² painted, {len(part.labels):,} cells of 4 µm drawn from it")
        parts.append(part)
    return Samples(
        np.concatenate([part.table for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.slides for part in parts]),
        sum(part.painted_mm2 for part in parts),
    )


def _of_slide(painted: PaintedSlide, given_mpp: float | None, number: int, first_place: int) -> Samples:
    regions = read_annotations(painted.annotations)
    with open_slide(painted.slide) as slide:
        mpp = _mpp_of(slide.info, given_mpp, painted.slide.name)
        for region in regions:
            _check_inside(region, slide.info, painted)
        grid = grid_of(slide.info.width_px, slide.info.height_px, mpp)
        painting = paint(regions, grid, MARGIN_UM / mpp, painted.annotations)
        drawn = _drawn(painting.places)
        reference = slide_reference(slide.thumbnail(OVERVIEW_PX))
        tables, found = [], []
        for window in grid.tiles(TILE_PX):
            here = drawn[window]
            if here.any():
                tile = read_tile(slide, mpp, reference, grid, window)
                tables.append(tissue_features(tile.rgb, tile.features, reference)[tile.inner][here])
                found.append(painting.places[window][here])
    places = np.concatenate(found).astype(np.int64)
    return Samples(
        np.concatenate(tables),
        painting.labels[places],
        first_place + places,
        np.full(len(places), number),
        sum(region.area.area for region in regions) * mpp**2 / 1e6,
    )


def _drawn(places: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which cells are taken: about `MOST_CELLS` of each place, by chance, but always the same."""
    painted = places > NOTHING
    count = np.bincount(places[painted])
    chance = np.random.default_rng(0).random(places.shape, np.float32)
    return painted & (chance * count[np.maximum(places, 0)] < MOST_CELLS)


def _mpp_of(info: SlideInfo, given: float | None, name: str) -> float:
    mpp = info.mpp or given
    if mpp is None:
        raise SlideNotForTraining(
            slide=name, reason="it does not say its resolution; give micrometres per pixel as --mpp"
        )
    if not FINEST_MPP <= mpp <= COARSEST_MPP:
        reason = f"it has {mpp:.4g} µm per pixel; give a scan of {FINEST_MPP} to {COARSEST_MPP} (20x or 40x)"
        raise SlideNotForTraining(slide=name, reason=reason)
    return float(mpp)


def _check_inside(region: PaintedRegion, info: SlideInfo, painted: PaintedSlide) -> None:
    if not shapely.box(-1, -1, info.width_px + 1, info.height_px + 1).covers(region.area):
        size = f"{info.width_px} × {info.height_px} px"
        reason = f"it reaches outside of {painted.slide.name}, which has {size}; give the slide that it was painted on"
        raise region.unusable(painted.annotations, reason)
