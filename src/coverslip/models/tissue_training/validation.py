"""How well a classifier does on what it was not trained on: places, or whole slides, held out in turn."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from coverslip.models.tissue_training.classifier import fit_classifier
from coverslip.models.tissue_training.samples import Samples

MOST_FOLDS = 5
FEWEST = 3
"""Places of a class for its figures to mean something, and slides with every class so that slides are held out."""
NEVER = -1


class HeldOut(StrEnum):
    """What is held out as a whole: slides if every class was painted on `FEWEST`, otherwise places."""

    SLIDES = "slides"
    PLACES = "places"


@dataclass(frozen=True)
class ClassQuality:
    """Of one class: how much of it was painted, and shares of the cells that were held out.

    ``recall`` is None where nothing could be held out, ``precision`` where it was found nowhere.
    """

    name: str
    places: int
    cells: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Quality:
    """Figures of a cross-validation.

    ``confusion`` counts cells: rows are what was painted, columns what was found, in the order of ``classes``.
    """

    held_out: HeldOut
    classes: tuple[ClassQuality, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def too_few(self) -> tuple[str, ...]:
        """The classes that were painted at too few places for figures that mean something."""
        return tuple(each.name for each in self.classes if each.places < FEWEST)


def cross_validate(samples: Samples) -> Quality:
    """Train without some of what was painted and try on that, until each was left out once.

    A class that was painted at one place only is never held out: there would be nothing to learn it from.
    """
    classes, count = samples.classes, len(samples.class_names)
    held_out, folds = _folds(samples)
    confusion = np.zeros((count, count), np.int64)
    for number in range(int(folds.max()) + 1):
        tried = folds == number
        classifier = fit_classifier(samples.table[~tried], classes[~tried], count)
        np.add.at(confusion, (classes[tried], classifier.classes(samples.table[tried])), 1)
    painted, found, right = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    figures = (
        ClassQuality(
            name,
            len(np.unique(samples.places[classes == number])),
            int((classes == number).sum()),
            _share(right[number], painted[number]),
            _share(right[number], found[number]) if painted[number] else None,
        )
        for number, name in enumerate(samples.class_names)
    )
    return Quality(held_out, tuple(figures), tuple(tuple(row) for row in confusion.tolist()))


def _folds(samples: Samples) -> tuple[HeldOut, NDArray[np.int64]]:
    """The number of the fold in which each cell is held out, from 0, or `NEVER`."""
    classes = samples.classes
    members = [classes == number for number in range(len(samples.class_names))]
    if all(len(np.unique(samples.slides[of_class])) >= FEWEST for of_class in members):
        return HeldOut.SLIDES, samples.slides
    folds = np.full(len(classes), NEVER)
    for of_class in members:
        places = np.unique(samples.places[of_class])
        if len(places) > 1:
            for turn, place in enumerate(places):
                folds[samples.places == place] = turn % MOST_FOLDS
    return HeldOut.PLACES, folds


def _share(part: int, whole: int) -> float | None:
    return round(float(part / whole), 4) if whole else None
