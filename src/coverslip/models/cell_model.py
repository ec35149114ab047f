"""Tell cells apart by their nuclei with a trained classifier."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.models.card import Task
from coverslip.models.errors import ModelShapesWrong
from coverslip.models.feature_network import FeatureNetwork
from coverslip.models.library import StoredModel, find_model
from coverslip.models.settings import ModelSettings
from coverslip.pathology.cell_classes import name_cells
from coverslip.pathology.cell_groups import GROUP_FEATURES, GROUPS, group_features, heard_from_neighbours
from coverslip.pathology.cells import NUCLEUS_FEATURES
from coverslip.pathology.classes import CELL, label_of
from coverslip.pathology.nuclei.measuring import measure_nuclei
from coverslip.pathology.nuclei.objects import renumbered
from coverslip.pathology.reference import slide_reference

DEFAULT = "coverslip-cells"
MPP = 0.5
"""Resolution at which nuclei are measured; finer ones hold more noise than detail."""


class CellModel:
    """A classifier of `GROUP_FEATURES` into `GROUPS`.

    Raises
    ------
    ModelError
        If it cannot be used, or its classes are others.
    """

    def __init__(self, model: StoredModel, settings: ModelSettings) -> None:
        if model.card.class_names != GROUPS:
            reason = f"its classes are {', '.join(model.card.class_names)}, not {', '.join(GROUPS)}"
            raise ModelShapesWrong(path=model.path, reason=reason)
        self._network = FeatureNetwork(model, settings, GROUP_FEATURES)

    def groups(self, features: NDArray[np.float32], centroids_um: NDArray[np.float64]) -> NDArray[np.float32]:
        """Probabilities of `GROUPS`, float32 (n, 3), for all nuclei of a field or slide.

        ``features`` is (n, len(NUCLEUS_FEATURES)), ``centroids_um`` (n, 2).
        """
        if not len(features):
            return np.empty((0, len(GROUPS)), np.float32)
        probabilities = self._network.probabilities(group_features(features, centroids_um))
        return heard_from_neighbours(probabilities, centroids_um)


def open_cell_model(settings: ModelSettings) -> CellModel:
    """Open the classifier that the settings name, or the default one.

    Raises
    ------
    ModelError
        If there is none of that id, or it cannot be used.
    """
    return CellModel(find_model(settings.model_cells or DEFAULT, Task.CELLS, settings.folder), settings)


def classify_nuclei(
    rgb: NDArray[np.uint8], labels: NDArray[np.int32], mpp: float, model: CellModel
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.float32]]:
    """Classify given nuclei of an image.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3), of ``mpp`` µm per pixel.
    labels
        Instances (h, w), 0 background.

    Returns
    -------
    The labels that occur, ascending; the class of `CELL` of each, and its confidence, 0 to 1. What is smaller than a
    pixel of `MPP` counts as the smallest of cells, a lymphocyte, with confidence 0.
    """
    image, numbers = _at_own_resolution(rgb, labels, mpp)
    measured = measure_nuclei(image, renumbered(numbers), MPP, slide_reference(rgb).background)
    groups = model.groups(measured.features, measured.centroids * MPP)
    short, long = (measured.features[:, NUCLEUS_FEATURES.index(name)] for name in ("minor_axis_um", "major_axis_um"))
    nowhere = np.zeros(len(groups), np.uint8)
    named, sure = name_cells(groups, nowhere, short / np.maximum(long, np.float32(1e-3)), nowhere > 0)
    present = np.unique(labels[labels > 0])
    measurable = np.isin(present, numbers)
    classes = np.full(len(present), label_of(CELL, "Lymphocyte"), np.uint8)
    confidence = np.zeros(len(present), np.float32)
    classes[measurable], confidence[measurable] = named, sure
    return present, classes, confidence


def _at_own_resolution(
    rgb: NDArray[np.uint8], labels: NDArray[np.int32], mpp: float
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    size = max(1, round(rgb.shape[1] * mpp / MPP)), max(1, round(rgb.shape[0] * mpp / MPP))
    if size == rgb.shape[1::-1]:
        return rgb, labels
    image = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if mpp < MPP else cv2.INTER_CUBIC)
    # Doubles hold every 32-bit label exactly.
    numbers = cv2.resize(labels.astype(np.float64), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(image, np.uint8), numbers.astype(np.int32)
