"""Labelled images are found, and their scores pooled per set."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from coverslip.models.errors import EvaluationSetInvalid, NothingToEvaluate
from coverslip.models.evaluation.figures import measure
from coverslip.models.evaluation.sets import find_images, set_of
from coverslip.pathology.classes import CELL, label_of

Labels = NDArray[np.int32]


class KnownNuclei:
    """Finds what is painted in the red channel."""

    id = "known"
    mpp = 0.25

    def segment(self, rgb: NDArray[np.uint8]) -> Labels:
        return rgb[..., 0].astype(np.int32)


def classify(rgb: NDArray[np.uint8], labels: Labels, mpp: float) -> Any:
    """Calls the first nucleus a lymphocyte, the second a fibroblast, the third Other; leaves out all else."""
    ids = np.intersect1d(labels, [1, 2, 3])
    names = ("Lymphocyte", "Fibroblast", "Other")
    return ids, np.array([label_of(CELL, names[i - 1]) for i in ids], np.uint8), np.ones(len(ids))


def squares(count: int) -> Labels:
    labels = np.zeros((40, 120), np.int32)
    for number in range(1, count + 1):
        labels[10:26, 20 * number - 15 : 20 * number + 1] = number
    return labels


def write(folder: Path, name: str, truth: Labels, found: Labels, suffix: str = ".png") -> None:
    folder.mkdir(exist_ok=True, parents=True)
    Image.fromarray(truth.astype(np.uint16)).save(folder / f"{name}_labels.png")
    Image.fromarray(np.stack([found.astype(np.uint8)] * 3, axis=2)).save(folder / f"{name}{suffix}")


def write_manifest(folder: Path, *entries: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(entries))


def test_nuclei_are_pooled_over_the_images_of_a_set(tmp_path: Path) -> None:
    write(tmp_path / "nuclei", "kumar_01", squares(4), squares(4))
    write(tmp_path / "nuclei", "kumar_02", squares(2), squares(0))
    write(tmp_path / "nuclei", "dsb_s1_77", squares(1), squares(1))
    names = ("kumar_01", "kumar_02", "dsb_s1_77")
    write_manifest(tmp_path / "nuclei", *({"name": name, "mpp": 0.25, "licence": "CC0"} for name in names))
    figures = measure(tmp_path, KnownNuclei(), classify)
    assert figures["model"] == "known"
    assert set(figures["nuclei"]) == {"kumar", "dsb_s1"}
    kumar = figures["nuclei"]["kumar"]
    assert (kumar["images"], kumar["nuclei"], kumar["found"]) == (2, 6, 4)
    assert kumar["f1_at_iou_0.5"] == kumar["f1_of_centroids"] == kumar["pq"] == 0.8
    assert kumar["aji"] == pytest.approx(4 / 6, abs=1e-4)
    assert figures["nuclei"]["dsb_s1"]["pq"] == 1
    assert figures["classes"] == figures["quality"] == {}


def test_images_of_unknown_resolution_are_scaled_by_their_nuclei(tmp_path: Path) -> None:
    """A median nucleus of 16 x 16 px stands for 32 µm²: 0.354 µm/px, so the model sees a larger image."""
    seen = []

    class Watching(KnownNuclei):
        def segment(self, rgb: NDArray[np.uint8]) -> Labels:
            seen.append(rgb.shape)
            return np.zeros(rgb.shape[:2], np.int32)

    write(tmp_path, "dsb_t1_1", squares(3), squares(3))
    write_manifest(tmp_path, {"name": "dsb_t1_1", "mpp": None})
    assert measure(tmp_path, Watching(), classify)["nuclei"]["dsb_t1"]["found"] == 0
    assert seen == [(57, 170, 3)]


def test_classes_count_in_groups(tmp_path: Path) -> None:
    """Of five nuclei two are right, one is called Other and one not named; class 1 of this set does not count."""
    write(tmp_path / "a", "consep_1", squares(5), squares(0))
    write_manifest(
        tmp_path / "a", {"name": "consep_1", "mpp": 0.25, "classes": {"1": 2, "2": 4, "3": 3, "4": 3, "5": 1}}
    )
    write(tmp_path / "b", "hgsc_nest", squares(2), squares(0), suffix=".jpg")
    (tmp_path / "b" / "hgsc_nest_classes.json").write_text(json.dumps({"name": "hgsc_nest", "classes": {"2": 1}}))
    classes = measure(tmp_path, KnownNuclei(), classify)["classes"]
    assert classes["consep"]["nuclei"] == 4
    assert classes["consep"]["f1"] == {"inflammatory": 1, "epithelial": 0, "connective": 1}
    assert classes["consep"]["macro_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert classes["hgsc"]["f1"]["connective"] == 1


def test_masks_of_tissue_quality(tmp_path: Path) -> None:
    rgb = np.full((300, 300, 3), 240, np.uint8)
    mask = np.zeros((300, 300), np.uint8)
    cv2.line(mask, (30, 150), (270, 150), 255, 30)
    rgb[mask > 0] = (60, 150, 90)
    Image.fromarray(rgb).save(tmp_path / "my_pen.png")
    Image.fromarray(mask).save(tmp_path / "my_pen_mask.png")
    figures = measure(tmp_path, KnownNuclei(), classify)
    assert set(figures["quality"]) == {"pen"}
    assert figures["quality"]["pen"]["dice"] > 0.85


@pytest.mark.parametrize(
    ("name", "set_name"),
    [
        ("kumar_training_09", "kumar"),
        ("dsb_s1_4ca5", "dsb_s1"),
        ("dsb_t1_0f1f", "dsb_t1"),
        ("consep_train_10_000", "consep"),
        ("hgsc_nest", "hgsc"),
        ("Field2", "field"),
        ("7", "7"),
    ],
)
def test_sets_share_the_beginning_of_their_names(name: str, set_name: str) -> None:
    assert set_of(name) == set_name


def test_a_folder_without_labelled_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToEvaluate, match="no labelled images"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"name": "kumar_2"}, "the image of kumar_2 or its labels are not beside it"),
        ({"name": "../kumar_1"}, "String should match pattern"),
        ({"name": "other_1", "classes": {"1": 1}}, "not known what the classes of other mean"),
        ({"name": "kumar_1", "mpp": -1}, "greater than 0"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named(tmp_path: Path, entry: dict[str, Any], reason: str) -> None:
    for name in ("kumar_1", "other_1"):
        write(tmp_path, name, squares(1), squares(1))
    write_manifest(tmp_path, entry)
    with pytest.raises(EvaluationSetInvalid, match=reason):
        find_images(tmp_path)


def test_a_mask_without_its_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "pen_mask.png").touch()
    with pytest.raises(EvaluationSetInvalid, match=r"the image pen\.png is not beside it"):
        find_images(tmp_path)
