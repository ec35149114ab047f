"""The labelled ovarian field as other scanners, laboratories and organs might have shown it."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from coverslip.pathology.cell_groups import group_features
from coverslip.pathology.nuclei.measuring import measure_nuclei
from coverslip.pathology.nuclei.objects import renumbered
from training.nuclei.staining import density_of, photographed, restained

MPP = 0.5
FIELD_MPP = 0.25
LEAST_NUCLEI = 12


def views(folder: Path, count: int, generator: Generator) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Features (n, len(GROUP_FEATURES)) and groups 0, 1, 2 of the nuclei in each of ``count`` views.

    ``folder`` holds hgsc_nest.jpg with its labels and classes (1 connective, 2 inflammatory, 3 neoplastic). Sizes
    vary by a third and shapes by stretching, because nuclei of other organs are smaller and slimmer than those of
    this tumour.
    """
    rgb = cv2.cvtColor(cv2.imread(str(folder / "hgsc_nest.jpg")), cv2.COLOR_BGR2RGB)
    labels = cv2.imread(str(folder / "hgsc_nest_labels.png"), cv2.IMREAD_UNCHANGED).astype(np.int32)
    classes = json.loads((folder / "hgsc_nest_classes.json").read_text())["classes"]
    group_of = np.full(labels.max() + 1, -1)
    for number, group in classes.items():
        group_of[int(number)] = group - 1
    smooth = cv2.GaussianBlur(rgb, (0, 0), 0.8)
    for _ in range(count):
        side = int(generator.integers(150, 750))
        matrix = _placed(labels.shape, side, generator)
        shown = cv2.warpAffine(smooth, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        numbers = cv2.warpAffine(labels.astype(np.float32), matrix, (side, side), flags=cv2.INTER_NEAREST).astype(
            np.int32
        )
        present = np.unique(numbers)[1:]
        if len(present) < LEAST_NUCLEI:
            continue
        stained = photographed(restained(density_of(np.asarray(shown, np.uint8)), generator), generator)
        glass = np.maximum(np.percentile(stained.reshape(-1, 3), 99, axis=0), 180).tolist()
        measured = measure_nuclei(stained, renumbered(numbers), MPP, (glass[0], glass[1], glass[2]))
        groups = group_of[present]
        features = group_features(measured.features, measured.centroids * MPP)
        yield features[groups >= 0], groups[groups >= 0]


def _placed(shape: tuple[int, ...], side: int, generator: Generator) -> NDArray[np.float64]:
    """From the field to a view: scaled, stretched, turned, and with some point of the field in its middle."""
    stretch = abs(generator.normal(0, 0.18))
    scale = FIELD_MPP / MPP * np.exp(generator.uniform(-0.35, 0.35) + np.array([stretch, -stretch]))
    angle = generator.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = np.diag(scale) @ turn
    centre = generator.uniform(0.15, 0.85, 2) * (shape[1], shape[0])
    return np.column_stack([linear, side / 2 - linear @ centre])
