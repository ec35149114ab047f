"""Macro F1 of classes and Dice of masks."""

import numpy as np
import pytest

from coverslip.pathology.metrics import score_classes, score_mask

NAMES = ("a", "b")


def test_classes_by_hand() -> None:
    score = score_classes(["a", "a", "a", "b"], ["a", "a", "b", "b"], NAMES)
    assert score.f1 == {"a": pytest.approx(4 / 5), "b": pytest.approx(2 / 3)}
    assert score.macro_f1 == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert score.accuracy == 0.75


def test_what_is_given_another_class_or_none_is_wrong() -> None:
    score = score_classes(["a", "a", "b"], [None, "c", "b"], NAMES)
    assert score.f1 == {"a": 0, "b": 1}


def test_classes_are_pooled_by_their_counts() -> None:
    right, wrong = score_classes(["a", "b"], ["a", "b"], NAMES), score_classes(["a"], ["b"], NAMES)
    assert (right + wrong).f1 == score_classes(["a", "b", "a"], ["a", "b", "b"], NAMES).f1
    with pytest.raises(ValueError, match="do not add up"):
        right + score_classes([], [], ("a",))


def test_a_true_class_that_does_not_count_is_refused() -> None:
    with pytest.raises(ValueError, match="'c' is none of"):
        score_classes(["c"], ["a"], NAMES)


def test_dice_by_hand() -> None:
    truth, found = np.array([[True, True, False, False]]), np.array([[True, False, False, True]])
    assert score_mask(truth, truth).dice == 1
    assert score_mask(truth, found).dice == 0.5
    assert (score_mask(truth, found) + score_mask(truth, truth)).dice == 0.75
    assert score_mask(truth & ~truth, truth & ~truth).dice == 1
    with pytest.raises(ValueError, match="one shape"):
        score_mask(truth, found[:, 1:])
