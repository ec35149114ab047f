"""Models of every kind find the nuclei that their maps show, at any resolution of the image."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.models.adding import add_models
from coverslip.models.errors import ImageTooLargeForModel
from coverslip.models.nucleus_models import find_nuclei, open_nucleus_model
from coverslip.models.settings import ModelSettings
from coverslip.pathology.metrics import InstanceScore, score_instances
from harness.tiny_models import coloured, write_tiny_model

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


def test_images_too_large_to_analyse_at_once_are_refused(settings: ModelSettings) -> None:
    model = open_nucleus_model("classical", settings)
    with pytest.raises(ImageTooLargeForModel, match="would have 1600 million pixels"):
        find_nuclei(np.zeros((1000, 1000, 3), np.uint8), 10.0, model)


def test_the_default_model_opens(settings: ModelSettings) -> None:
    assert find_nuclei(np.full((64, 64, 3), 240, np.uint8), 0.5, open_nucleus_model(None, settings)).max() == 0
