"""The small network learns what is no straight line, and its file gives what it gives."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coverslip.models.card import ModelCard
from coverslip.models.library import StoredModel, check_file, read_pair
from coverslip.models.settings import ModelSettings
from coverslip.models.tissue_model import TissueModel
from coverslip.models.tissue_training.classifier import Classifier, fit_classifier
from coverslip.models.tissue_training.training import draft_card
from coverslip.models.tissue_training.writing import write_classifier
from coverslip.pathology.features import measure
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.tissue_features import TISSUE_FEATURES, tissue_features


def rings(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A class in the middle of another, with columns of very different sizes, one of them empty."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 2, count)
    angle, radius = (
        generator.uniform(0, 2 * np.pi, count),
        1.0 + 2.0 * classes + generator.normal(scale=0.2, size=count),
    )
    columns = (1000 + 50 * radius * np.cos(angle), 0.01 * radius * np.sin(angle), np.zeros(count))
    return np.stack(columns, axis=1).astype(np.float32), classes


def test_it_learns_what_no_line_divides() -> None:
    table, classes = rings(2000, seed=1)
    classifier = fit_classifier(table, classes, 2)
    unseen, truth = rings(500, seed=2)
    assert (classifier.classes(unseen) == truth).mean() > 0.98


def test_the_same_cells_give_the_same_network() -> None:
    table, classes = rings(1500, seed=1)
    one, other = (fit_classifier(table, classes, 2) for _ in range(2))
    assert np.array_equal(one.hidden, other.hidden)
    assert np.array_equal(one.output, other.output)


def test_a_rare_class_counts_as_much() -> None:
    generator = np.random.default_rng(1)
    classes = np.repeat([0, 1], [2000, 40])
    table = (generator.normal(size=(2040, 1)) + 2.0 * classes[:, np.newaxis]).astype(np.float32)
    found = fit_classifier(table, classes, 2).classes(table)
    assert (found[classes == 1] == 1).mean() > 0.75


def test_the_file_gives_what_the_network_gives(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    shapes = [(len(TISSUE_FEATURES), 16), (16,), (16, 3), (3,)]
    classifier = Classifier(*(generator.normal(size=shape) for shape in shapes))
    names = ("Carcinoma", "Stroma", "Vessel")
    card: ModelCard = draft_card("ours", "1.0.0", "CC0-1.0").model_copy(update={"class_names": names})
    write_classifier(tmp_path / "ours.onnx", classifier, card)
    stored: StoredModel = read_pair(tmp_path / "ours.json")
    check_file(stored)
    rgb = generator.integers(0, 256, (80, 120, 3)).astype(np.uint8)
    features, reference = measure(rgb, 1.0, 4, (240.0, 240.0, 240.0)), SlideReference((240.0, 240.0, 240.0), 0.3, 0.5)
    found = TissueModel(stored, ModelSettings(models=tmp_path))(rgb, features, reference)
    table = tissue_features(rgb, features, reference).reshape(-1, len(TISSUE_FEATURES))
    labels = np.array([1, 4, 7])[classifier.classes(table)].reshape(20, 30)
    assert np.array_equal(found, labels)
