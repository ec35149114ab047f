"""From nuclei to cells: which of them count, what they are, and what tissue they make up."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.applications.he_tme.nuclei import SlideNuclei
from coverslip.applications.tissue_maps import TissueMaps
from coverslip.models.cell_model import CellModel
from coverslip.pathology.cell_classes import groups_of_types, most_probable, name_cells
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable
from coverslip.pathology.classes import ANUCLEATE, TISSUE, label_of
from coverslip.pathology.tissue_classes import NucleusMap, classify_by_nuclei
from coverslip.pathology.tissue_qc import VALID
from coverslip.pathology.tissue_segmentation import clean_tissue

ALONG_BLOOD_UM = 6.0
"""Endothelium lies within about a nucleus of the blood that it encloses."""


@dataclass(frozen=True)
class SlideCells:
    """``tissue``: label map uint8 (rows, columns) of `TISSUE`, final; ``cells``: all in nucleated, valid tissue."""

    tissue: NDArray[np.uint8]
    cells: CellTable


def classify_slide(
    nuclei: SlideNuclei,
    maps: TissueMaps,
    mpp: float,
    model: CellModel | None,
    *,
    is_cancer: bool,
    tissue_is_final: bool,
) -> SlideCells:
    """Classify cells and tissue of a slide, each with the help of the other.

    Parameters
    ----------
    nuclei
        All that were found, in tissue or not.
    maps
        Quality of the tissue, and its classes.
    mpp
        Micrometres per level-0 pixel.
    model
        What tells the groups of cells; None: the nuclei have types, and these are the classes of their cells.
    is_cancer
        Whether the slide was submitted as one of a cancer.
    tissue_is_final
        Whether the classes of the tissue stay as ``maps`` has them; otherwise the nuclei have a say.
    """
    nuclei = nuclei.of(maps.quality.labels[_pixels(nuclei.centroids, maps)] == VALID)
    if model is None:
        assert nuclei.types is not None, "there is no model for cells only where the one for nuclei tells types"
        types, groups = nuclei.types, groups_of_types(nuclei.types)
    else:
        types, groups = None, model.groups(nuclei.features, nuclei.centroids * mpp)
    um_per_map_px = maps.cell_px * mpp
    rows, columns = _pixels(nuclei.centroids, maps)
    tissue = maps.tissue
    if not tissue_is_final:
        area_um2 = nuclei.features[:, NUCLEUS_FEATURES.index("area_um2")]
        nucleus_map = NucleusMap(rows, columns, groups, area_um2)
        by_nuclei = classify_by_nuclei(tissue, nucleus_map, um_per_map_px, is_cancer=is_cancer)
        tissue = clean_tissue(by_nuclei, maps.quality.labels == VALID, um_per_map_px)

    under = tissue[rows, columns]
    nucleated = ~np.isin(under, [0, *(label_of(TISSUE, name) for name in ANUCLEATE)])
    kept, under, groups = nuclei.of(nucleated), under[nucleated], groups[nucleated]
    if types is None:
        along_blood = _near(tissue == label_of(TISSUE, "Blood"), ALONG_BLOOD_UM / um_per_map_px)
        short, long = (kept.features[:, NUCLEUS_FEATURES.index(name)] for name in ("minor_axis_um", "major_axis_um"))
        classes, confidence = name_cells(
            groups, under, short / np.maximum(long, np.float32(1e-3)), along_blood[rows, columns][nucleated]
        )
    else:
        classes, confidence = most_probable(types[nucleated])
    return SlideCells(tissue, CellTable(kept.centroids, classes, confidence, under, kept.features, kept.outlines))


def _pixels(centroids: NDArray[np.float64], maps: TissueMaps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    places = np.floor(centroids / maps.cell_px).astype(np.int64)
    last_row, last_column = (length - 1 for length in maps.tissue.shape)
    return np.clip(places[:, 1], 0, last_row), np.clip(places[:, 0], 0, last_column)


def _near(mask: NDArray[np.bool_], reach_px: float) -> NDArray[np.bool_]:
    """The mask and what lies up to ``reach_px`` beside it."""
    if not mask.any():
        return mask
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) <= reach_px)
