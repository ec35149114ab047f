"""Score models on labelled images, pooled over the images of each set."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coverslip.models.evaluation.sets import USUAL_MPP, LabelledImage, MaskedImage
from coverslip.pathology.cell_groups import GROUPS
from coverslip.pathology.classes import CELL, TISSUE_QC, label_of
from coverslip.pathology.image_quality import judge_image
from coverslip.pathology.metrics import (
    CentroidScore,
    ClassScore,
    InstanceScore,
    MaskScore,
    score_centroids,
    score_classes,
    score_instances,
    score_mask,
)
from coverslip.pathology.metrics.centroids import MATCH_RADIUS_UM
from coverslip.slides.plain_images import read_labels, read_rgb

Rgb = NDArray[np.uint8]
Labels = NDArray[np.int32]
Segment = Callable[[Rgb, float], Labels]
"""From an image and its µm/px to its nuclei."""
Classify = Callable[[Rgb, Labels, float], tuple[NDArray[Any], NDArray[np.uint8], NDArray[Any]]]
"""From an image, its nuclei and µm/px to labels of nuclei, their classes of `coverslip.pathology.classes.CELL`, and the
confidence of these."""

USUAL_AREA_UM2 = 32.0
"""Median area of nuclei by which images of unknown resolution are scaled: such images flatter every model, because
their scale comes from the truth."""

GROUP_OF_CLASS = {
    "Lymphocyte": "inflammatory",
    "Plasma cell": "inflammatory",
    "Macrophage": "inflammatory",
    "Granulocyte": "inflammatory",
    "Carcinoma cell": "epithelial",
    "Epithelial cell": "epithelial",
    "Fibroblast": "connective",
    "Endothelial cell": "connective",
}


@dataclass(frozen=True)
class NucleusScore:
    """Of the nuclei of ``images`` images."""

    images: int
    instances: InstanceScore
    centroids: CentroidScore

    def __add__(self, other: "NucleusScore") -> "NucleusScore":
        return NucleusScore(
            self.images + other.images, self.instances + other.instances, self.centroids + other.centroids
        )


Score = TypeVar("Score", NucleusScore, ClassScore, MaskScore)


def score_nuclei(images: Iterable[LabelledImage], segment: Segment) -> dict[str, NucleusScore]:
    """Score a model for nuclei, per set.

    Raises
    ------
    SlideError
        If an image cannot be read.
    """
    return _pooled((image.set_name, _nucleus_score(image, segment)) for image in images)


def score_cell_classes(images: Iterable[LabelledImage], classify: Classify) -> dict[str, ClassScore]:
    """Score classes of given nuclei as groups of `GROUPS`, per set; nuclei of no group do not count.

    Raises
    ------
    SlideError
        If an image cannot be read.
    """
    return _pooled((image.set_name, _class_score(image, classify)) for image in images)


def score_quality(images: Iterable[MaskedImage]) -> dict[str, MaskScore]:
    """Score pen marks and edges of coverslips, per set.

    Raises
    ------
    SlideError
        If an image cannot be read.
    """
    return _pooled((image.set_name, _mask_score(image)) for image in images)


def _pooled(scores: Iterable[tuple[str, Score]]) -> dict[str, Score]:
    pooled: dict[str, Score] = {}
    for set_name, score in scores:
        pooled[set_name] = pooled[set_name] + score if set_name in pooled else score
    return pooled


def _nucleus_score(image: LabelledImage, segment: Segment) -> NucleusScore:
    rgb, truth = read_rgb(image.image), read_labels(image.labels)
    area_px = _usual_area_px(truth)
    mpp = image.mpp or math.sqrt(USUAL_AREA_UM2 / area_px)
    radius_px = MATCH_RADIUS_UM / image.mpp if image.mpp else math.sqrt(area_px / math.pi)
    found = segment(rgb, mpp)
    return NucleusScore(1, score_instances(truth, found), score_centroids(truth, found, radius_px))


def _usual_area_px(labels: Labels) -> float:
    """Median area of the instances of a label image in pixels; that of a nucleus in a 40x scan where there is none."""
    areas = np.bincount(labels.ravel())[1:]
    return float(np.median(areas[areas > 0])) if areas.any() else USUAL_AREA_UM2 / USUAL_MPP**2


def _class_score(image: LabelledImage, classify: Classify) -> ClassScore:
    rgb, labels = read_rgb(image.image), read_labels(image.labels)
    found, classes, _ = classify(rgb, labels, image.mpp or USUAL_MPP)
    names = list(CELL)
    given = {label: GROUP_OF_CLASS.get(names[number - 1]) for label, number in zip(found, classes, strict=True)}
    there = set(np.unique(labels).tolist())
    groups = {label: group for label, group in (image.groups or {}).items() if label in there}
    return score_classes(list(groups.values()), [given.get(label) for label in groups], GROUPS)


def _mask_score(image: MaskedImage) -> MaskScore:
    found = judge_image(read_rgb(image.image), image.mpp) == label_of(TISSUE_QC, image.class_name)
    return score_mask(read_labels(image.mask) > 0, found)
