"""A cross-validation tells what was learned from what was only remembered."""

import numpy as np
import pytest

from coverslip.models.tissue_training.samples import Samples
from coverslip.models.tissue_training.validation import HeldOut, cross_validate
from coverslip.pathology.classes import TISSUE, label_of

CELLS = 60


def samples(places: list[tuple[str, int]], told_by_class: bool, seed: int = 1) -> Samples:
    """``CELLS`` of each place, given with its class and slide; features tell the class, or only the place."""
    generator = np.random.default_rng(seed)
    signature = generator.normal(size=(len(places), 6))
    labels = np.array([label_of(TISSUE, name) for name, _ in places], np.uint8)
    if told_by_class:
        signature[:, 0] = 3.0 * labels
    owner = np.repeat(np.arange(len(places)), CELLS)
    table = signature[owner] + generator.normal(scale=0.1, size=(len(owner), 6))
    slides = np.array([slide for _, slide in places])
    return Samples(table.astype(np.float32), labels[owner], owner, slides[owner], 1.0)


def test_what_tells_classes_apart_is_seen() -> None:
    quality = cross_validate(samples([("Stroma", 0), ("Blood", 0)] * 6, told_by_class=True))
    assert quality.held_out is HeldOut.PLACES
    assert quality.too_few == ()
    assert [(each.name, each.places, each.cells) for each in quality.classes] == [
        ("Stroma", 6, 6 * CELLS),
        ("Blood", 6, 6 * CELLS),
    ]
    assert all((each.recall, each.precision) == (1, 1) for each in quality.classes)


@pytest.mark.parametrize("seed", range(3))
def test_what_tells_only_places_apart_is_no_merit(seed: int) -> None:
    """Cells of one place are alike: a validation that splits them would find them all."""
    quality = cross_validate(samples([("Stroma", 0), ("Blood", 0)] * 20, told_by_class=False, seed=seed))
    right = sum(quality.confusion[number][number] for number in range(2))
    assert right / (40 * CELLS) < 0.75


def test_a_class_at_one_place_has_no_figures() -> None:
    quality = cross_validate(samples([("Stroma", 0), ("Blood", 0)] * 4 + [("Vessel", 0)], told_by_class=True))
    vessel = quality.classes[-1]
    assert (vessel.name, vessel.places, vessel.recall, vessel.precision) == ("Vessel", 1, None, None)
    assert quality.too_few == ("Vessel",)
    assert quality.confusion[-1] == (0, 0, 0)
    assert sum(map(sum, quality.confusion)) == 8 * CELLS


def test_no_class_can_be_held_out() -> None:
    quality = cross_validate(samples([("Stroma", 0), ("Blood", 0)], told_by_class=True))
    assert [each.recall for each in quality.classes] == [None, None]


def test_whole_slides_are_held_out_where_there_are_enough() -> None:
    places = [(name, slide) for slide in range(3) for name in ("Stroma", "Blood")]
    assert cross_validate(samples(places, told_by_class=True)).held_out is HeldOut.SLIDES
    assert cross_validate(samples(places[:-1], told_by_class=True)).held_out is HeldOut.PLACES
