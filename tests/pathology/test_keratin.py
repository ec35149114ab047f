"""Keratin: dense layers and shreds together, neither alone."""

import numpy as np

from coverslip.pathology.keratin import find_keratin
from coverslip.pathology.regions import Mask

MPP = 4.0
TISSUE = np.ones((200, 200), bool)
LAYERS, SHREDS = np.s_[50:60, 40:140], np.s_[60:90, 40:140]


def drawn(*places: tuple[slice, slice]) -> Mask:
    mask = np.zeros(TISSUE.shape, bool)
    for place in places:
        mask[place] = True
    return mask


def test_layers_that_fray_are_keratin() -> None:
    found = find_keratin(drawn(LAYERS), drawn(SHREDS), TISSUE, MPP)
    np.testing.assert_array_equal(found, drawn(LAYERS, SHREDS))


def test_neither_layers_nor_shreds_are_keratin_by_themselves() -> None:
    apart = np.s_[120:150, 40:140]
    assert not find_keratin(drawn(LAYERS), drawn(), TISSUE, MPP).any()
    assert not find_keratin(drawn(), drawn(SHREDS), TISSUE, MPP).any()
    assert not find_keratin(drawn(LAYERS), drawn(apart), TISSUE, MPP).any()


def test_a_little_of_one_makes_no_keratin_of_much_of_the_other() -> None:
    few = np.s_[57:60, 40:60]
    assert not find_keratin(drawn(few), drawn(SHREDS), TISSUE, MPP).any()


def test_small_things_and_other_defects_are_left() -> None:
    assert not find_keratin(drawn(np.s_[50:55, 40:60]), drawn(np.s_[55:65, 40:60]), TISSUE, MPP).any()
    assert not find_keratin(drawn(LAYERS), drawn(SHREDS), ~drawn(LAYERS), MPP).any()


def test_glass_between_shreds_goes_with_them() -> None:
    gap = np.s_[70:78, 60:70]
    found = find_keratin(drawn(LAYERS), drawn(SHREDS) & ~drawn(gap), TISSUE, MPP)
    assert found[gap].all()


def test_a_small_image_without_keratin_stays_tissue() -> None:
    nothing = np.zeros((10, 10), bool)
    assert not find_keratin(nothing, nothing, ~nothing, MPP).any()
