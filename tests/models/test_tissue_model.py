"""Models that name tissue are used only if they were made for it."""

from pathlib import Path
from typing import Any

import pytest

from coverslip.models.adding import add_models
from coverslip.models.card import Task
from coverslip.models.errors import ModelKindUnusable, ModelShapesWrong, ModelUnknown
from coverslip.models.library import find_model, read_pair
from coverslip.models.settings import ModelSettings
from coverslip.models.tissue_model import TissueModel, open_tissue_model
from harness.feature_models import write_feature_model
from harness.tiny_models import Mix, write_card, write_network


def test_without_a_choice_the_rules_are_used(settings: ModelSettings) -> None:
    assert open_tissue_model(settings) is None
    assert open_tissue_model(settings.model_copy(update={"model_tissue": "rules"})) is None


def test_a_model_is_added_chosen_and_used(source: Path, settings: ModelSettings) -> None:
    add_models(write_feature_model(source), settings)
    model = open_tissue_model(settings.model_copy(update={"model_tissue": "ours"}))
    assert model is not None
    assert model.card == find_model("ours", Task.TISSUE, settings.folder).card


def test_a_choice_that_is_not_here_is_told(settings: ModelSettings) -> None:
    with pytest.raises(ModelUnknown, match="no model ours for tissue"):
        open_tissue_model(settings.model_copy(update={"model_tissue": "ours"}))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"input": {"mpp": 1.0, "features": ["a", "b"]}, "columns": 2}, "other features .* train it again"),
        ({"columns": 5}, "not one table with 22 columns"),
        ({"classes": 3}, "each of its classes"),
        ({"class_names": ("Stroma", "Tumor")}, "Tumor is none of the classes"),
        ({"outputs": {"classes": {"output": "other"}}}, "fails on a table"),
    ],
    ids=["features", "columns", "classes", "names", "output"],
)
def test_what_was_not_made_for_it_is_refused(
    source: Path, settings: ModelSettings, options: dict[str, Any], reason: str
) -> None:
    path = write_feature_model(source, **options)
    with pytest.raises(ModelShapesWrong, match=reason):
        add_models(path, settings)
    assert not settings.folder.exists()


def test_a_network_of_pixels_cannot_be_chosen(source: Path, settings: ModelSettings) -> None:
    path = source / "pixels.onnx"
    write_network(path, {"c": Mix(((1, 0, 0), (0, 1, 0)), (0, 0))})
    outputs = {"classes": {"output": "c"}}
    write_card(path, task="tissue", kind="class_map", input={"mpp": 1.0}, outputs=outputs, class_names=["A", "B"])
    with pytest.raises(ModelKindUnusable, match="kind class_map"):
        TissueModel(read_pair(path.with_suffix(".json")), settings)
