"""Name the tissue of a slide with a model that a site trained."""

import numpy as np
from numpy.typing import NDArray

from coverslip.models.card import Kind, Task
from coverslip.models.chosen import BUILT_IN
from coverslip.models.errors import ModelKindUnusable, ModelShapesWrong
from coverslip.models.feature_network import FeatureNetwork
from coverslip.models.library import StoredModel, find_model
from coverslip.models.settings import ModelSettings
from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.features import Features
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.tissue_features import TISSUE_FEATURES, tissue_features

RULES = BUILT_IN[Task.TISSUE]
"""Id of the rules, `coverslip.pathology.tissue_segmentation`, which need no network."""


class TissueModel:
    """A classifier of `TISSUE_FEATURES`, as `coverslip.applications.tissue_maps.map_tissue` calls it.

    Raises
    ------
    ModelError
        If it cannot be used, or names a class that is none of `TISSUE`.
    """

    def __init__(self, model: StoredModel, settings: ModelSettings) -> None:
        if model.card.kind is not Kind.FEATURES:
            raise ModelKindUnusable(model=model.card.id, kind=model.card.kind)
        unknown = [name for name in model.card.class_names if name not in TISSUE]
        if unknown:
            reason = f"{', '.join(unknown)} is none of the classes {', '.join(TISSUE)}"
            raise ModelShapesWrong(path=model.path, reason=reason)
        self.card = model.card
        self._labels = np.array([label_of(TISSUE, name) for name in model.card.class_names], np.uint8)
        self._network = FeatureNetwork(model, settings, TISSUE_FEATURES)

    def __call__(self, rgb: NDArray[np.uint8], features: Features, reference: SlideReference) -> NDArray[np.uint8]:
        """The most probable class of every grid cell, uint8 (rows, columns); for the rest see `tissue_features`."""
        planes = tissue_features(rgb, features, reference)
        probabilities = self._network.probabilities(planes.reshape(-1, len(TISSUE_FEATURES)))
        labels: NDArray[np.uint8] = self._labels[probabilities.argmax(axis=1)].reshape(planes.shape[:2])
        return labels


def open_tissue_model(settings: ModelSettings) -> TissueModel | None:
    """The model that the settings name; None for the rules, which are used otherwise.

    Raises
    ------
    ModelError
        If there is none of that id, or it cannot be used.
    """
    model_id = settings.model_tissue or RULES
    if model_id == RULES:
        return None
    return TissueModel(find_model(model_id, Task.TISSUE, settings.folder), settings)
