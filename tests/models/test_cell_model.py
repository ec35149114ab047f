"""A classifier of cells is used only if it was made for that."""

from pathlib import Path

import numpy as np
import pytest

from coverslip.models.adding import add_models
from coverslip.models.cell_model import open_cell_model
from coverslip.models.errors import ModelShapesWrong
from coverslip.models.settings import ModelSettings
from coverslip.pathology.cell_groups import GROUP_FEATURES, GROUPS
from coverslip.pathology.cells import NUCLEUS_FEATURES
from harness.feature_models import write_feature_model

CELLS = {"task": "cells", "class_names": GROUPS, "input": {"mpp": 0.5, "features": GROUP_FEATURES}}


def test_a_model_is_added_chosen_and_used(source: Path, settings: ModelSettings) -> None:
    add_models(write_feature_model(source, columns=len(GROUP_FEATURES), classes=len(GROUPS), **CELLS), settings)
    model = open_cell_model(settings.model_copy(update={"model_cells": "ours"}))
    features = np.random.default_rng(1).random((6, len(NUCLEUS_FEATURES)), np.float32) + 1
    centroids_um = np.arange(12.0).reshape(6, 2)
    assert np.all(model.groups(features, centroids_um).argmax(axis=1) == 0)


@pytest.mark.parametrize(
    ("columns", "card", "reason"),
    [
        (len(GROUP_FEATURES), {"class_names": ("Lymphocyte", "Fibroblast", "Other")}, "its classes are Lymphocyte"),
        (len(GROUP_FEATURES), {"input": {"mpp": 0.5, "features": ("area", "roundness")}}, "takes other features"),
        (2, {}, "not one table with 11 columns"),
    ],
    ids=["classes", "features", "columns"],
)
def test_what_was_not_made_for_it_is_refused(
    source: Path, settings: ModelSettings, columns: int, card: dict[str, object], reason: str
) -> None:
    path = write_feature_model(source, columns=columns, classes=len(GROUPS), **CELLS | card)
    with pytest.raises(ModelShapesWrong, match=reason):
        add_models(path, settings)
    assert not settings.folder.exists()
