"""Classifiers of features that a test writes without training."""

from pathlib import Path
from typing import Any

import numpy as np

from coverslip.models.card import ModelCard
from coverslip.models.tissue_training.classifier import HIDDEN, Classifier
from coverslip.models.tissue_training.training import draft_card
from coverslip.models.tissue_training.writing import write_classifier
from coverslip.pathology.tissue_features import TISSUE_FEATURES


def write_feature_model(folder: Path, columns: int = len(TISSUE_FEATURES), classes: int = 2, **card: Any) -> Path:
    """A model ``ours`` that always names the first of its classes; the path of its network.

    ``columns`` and ``classes`` are those of the network, ``card`` holds what its card says otherwise.
    """
    path = folder / "ours.onnx"
    weights = (
        np.zeros((columns, HIDDEN)),
        np.zeros(HIDDEN),
        np.zeros((HIDDEN, classes)),
        -np.arange(classes, dtype=float),
    )
    stated = draft_card("ours", "1.0.0", "CC0-1.0").model_dump() | {"class_names": ("Stroma", "Blood")} | card
    write_classifier(path, Classifier(*weights), ModelCard.model_validate(stated))
    return path
