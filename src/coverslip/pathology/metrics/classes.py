"""Score of classes given to things: F1 of each class, and their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.metrics.ratios import f1_score


@dataclass(frozen=True)
class ClassScore:
    """How often each class was taken for each other; add those of several images to pool them.

    Attributes
    ----------
    names
        Classes that count.
    confusion
        int64 (n, n + 1): row the true class, column the class given; the last column is any other class, or none.
    """

    names: tuple[str, ...]
    confusion: NDArray[np.int64]

    def __add__(self, other: "ClassScore") -> "ClassScore":
        if self.names != other.names:
            raise ValueError(f"scores of {self.names} and of {other.names} do not add up")
        return ClassScore(self.names, self.confusion + other.confusion)

    @property
    def f1(self) -> dict[str, float]:
        """F1 of each class, 0 to 1; 1 for a class that neither was there nor was given."""
        matched, truth, given = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)[:-1]
        return {
            name: f1_score(int(m), int(t), int(g))
            for name, m, t, g in zip(self.names, matched, truth, given, strict=True)
        }

    @property
    def macro_f1(self) -> float:
        """Mean of the F1 of all classes, 0 to 1."""
        return float(np.mean(list(self.f1.values())))

    @property
    def accuracy(self) -> float:
        """Share of things whose class is right, 0 to 1."""
        total = int(self.confusion.sum())
        return float(np.trace(self.confusion)) / total if total else 1.0


def score_classes(truth: Sequence[str], given: Sequence[str | None], names: Sequence[str]) -> ClassScore:
    """Compare the classes of things, one by one.

    Parameters
    ----------
    truth
        True class of each thing, all of ``names``.
    given
        Class given to it; None or one that is not of ``names`` counts as wrong.
    names
        Classes that count.

    Raises
    ------
    ValueError
        If ``truth`` and ``given`` differ in length, or a true class is not of ``names``.
    """
    position = {name: index for index, name in enumerate(names)}
    confusion = np.zeros((len(names), len(names) + 1), np.int64)
    for true, claimed in zip(truth, given, strict=True):
        if true not in position:
            raise ValueError(f"the true class {true!r} is none of {tuple(names)}")
        confusion[position[true], position.get(claimed or "", len(names))] += 1
    return ClassScore(tuple(names), confusion)
