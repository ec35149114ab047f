"""Models of every kind find the nuclei that their maps show, at any resolution of the image."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.models.adding import add_models
from coverslip.models.errors import ImageTooLargeForModel, ModelShapesWrong
from coverslip.models.nucleus_models import find_nuclei, open_nucleus_model
from coverslip.models.settings import ModelSettings
from coverslip.pathology.classes import CELL
from coverslip.pathology.metrics import InstanceScore, score_instances
from harness.tiny_models import coloured, write_tiny_model, write_typed_model

KINDS = ("probability", "distance", "hover", "stardist")


def score_of(
    kind: str, truth: NDArray[np.int32], mpp: float, source: Path, settings: ModelSettings
) -> tuple[InstanceScore, NDArray[np.int32]]:
    add_models(write_tiny_model(source, kind), settings)
    model = open_nucleus_model(kind, settings)
    found = find_nuclei(coloured(truth, kind), mpp, model)
    assert found.dtype == np.int32
    assert set(np.unique(found)) == set(range(found.max() + 1))
    return score_instances(truth, found), found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_its_nuclei(
    kind: str, discs: NDArray[np.int32], source: Path, settings: ModelSettings
) -> None:
    score, _ = score_of(kind, discs, 0.5, source, settings)
    assert (score.truth, score.found, score.matched) == (4, 4, 4)
    assert score.segmentation_quality > 0.85


@pytest.mark.parametrize("kind", ["probability", "distance"])
@pytest.mark.parametrize("mpp", [0.25, 0.4, 0.8])
def test_an_image_of_another_resolution_is_brought_to_that_of_the_model(
    kind: str, mpp: float, discs: NDArray[np.int32], source: Path, settings: ModelSettings
) -> None:
    size = round(discs.shape[1] * 0.5 / mpp), round(discs.shape[0] * 0.5 / mpp)
    truth = cv2.resize(discs, size, interpolation=cv2.INTER_NEAREST_EXACT)
    score, found = score_of(kind, truth, mpp, source, settings)
    assert found.shape == truth.shape
    assert (score.found, score.matched) == (4, 4)
    assert score.segmentation_quality > 0.8


def test_nuclei_across_the_seams_of_windows_are_whole(source: Path, settings: ModelSettings) -> None:
    centres = [(x, y) for y in range(20, 180, 40) for x in range(20, 4380, 60)]
    truth = np.zeros((200, 4400), np.int32)
    for number, centre in enumerate(centres, 1):
        cv2.circle(truth, centre, 9, number, -1)
    rgb = np.full((*truth.shape, 3), 255, np.uint8)
    rgb[truth > 0, 0] = 0
    add_models(write_tiny_model(source, "probability"), settings)
    score = score_instances(truth, find_nuclei(rgb, 0.5, open_nucleus_model("probability", settings)))
    assert (score.found, score.matched) == (len(centres), len(centres))


def test_an_image_without_nuclei(source: Path, settings: ModelSettings) -> None:
    for kind in KINDS:
        score, _ = score_of(kind, np.zeros((40, 40), np.int32), 0.5, source, settings)
        assert score.found == 0


@pytest.mark.parametrize("grid", [1, 2])
def test_nuclei_have_the_types_that_the_map_shows(
    grid: int, discs: NDArray[np.int32], source: Path, settings: ModelSettings
) -> None:
    add_models(write_typed_model(source, grid=grid), settings)
    rgb = np.full((*discs.shape, 3), 255, np.uint8)
    rgb[discs > 0] = 0
    rgb[discs == 3, 2] = 255
    model = open_nucleus_model("typed", settings)
    found = model.find(rgb)
    assert np.array_equal(found.labels, model.segment(rgb))
    assert found.types is not None
    assert found.types.shape == (found.labels.max(), len(CELL))
    names = np.array(list(CELL))[found.types.argmax(axis=1)]
    blue = found.labels[90, 110]
    assert names[blue - 1] == "Plasma cell"
    assert set(np.delete(names, blue - 1)) == {"Granulocyte"}
    assert (found.types.max(axis=1) > 0.9).all()


def test_models_without_types_tell_none(source: Path, settings: ModelSettings) -> None:
    for kind in KINDS:
        add_models(write_tiny_model(source, kind, model_id=f"no-types-{kind}"), settings)
        assert open_nucleus_model(f"no-types-{kind}", settings).find(np.zeros((40, 40, 3), np.uint8)).types is None
    assert open_nucleus_model("classical", settings).find(np.zeros((40, 40, 3), np.uint8)).types is None


@pytest.mark.parametrize(
    ("activation", "names", "reason"),
    [
        ("softmax", ["Lymphocyte", "Other"], "types has 3 channels, but class_names has 2 names"),
        ("none", ["Background", "Lymphocyte", "Other"], "types has values from -26 to 26, not probabilities"),
    ],
)
def test_types_that_do_not_fit_the_card_are_refused(
    activation: str, names: list[str], reason: str, source: Path, settings: ModelSettings
) -> None:
    outputs = {"nuclei": {"output": "np"}, "offsets": {"output": "hv"}}
    outputs["types"] = {"output": "tp", "activation": activation}
    with pytest.raises(ModelShapesWrong, match=reason):
        add_models(write_typed_model(source, outputs=outputs, class_names=names), settings)


def test_images_too_large_to_analyse_at_once_are_refused(settings: ModelSettings) -> None:
    model = open_nucleus_model("classical", settings)
    with pytest.raises(ImageTooLargeForModel, match="would have 1600 million pixels"):
        find_nuclei(np.zeros((1000, 1000, 3), np.uint8), 10.0, model)


def test_the_default_model_opens(settings: ModelSettings) -> None:
    assert find_nuclei(np.full((64, 64, 3), 240, np.uint8), 0.5, open_nucleus_model(None, settings)).max() == 0
