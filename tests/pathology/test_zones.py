"""Zones of tumours of known shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.zones import ZONE, zone_map

CARCINOMA, STROMA, NECROSIS = (label_of(TISSUE, name) for name in ("Carcinoma", "Stroma", "Necrosis"))
CORE, INNER, OUTER, BEYOND = range(1, 5)
UM = 10.0
row, column = np.mgrid[:400, :400]
from_center_um = UM * np.hypot(row - 200, column - 200)


def disc(radius_um: float) -> NDArray[np.uint8]:
    """Carcinoma in stroma."""
    return np.where(from_center_um <= radius_um, CARCINOMA, STROMA).astype(np.uint8)


def test_margins_are_half_a_millimetre_wide_on_either_side() -> None:
    zones = zone_map(disc(1000), UM)
    assert list(ZONE) == ["Tumor Core", "Inner Invasive Margin", "Outer Invasive Margin", "Extratumoral"]
    for zone, nearest, farthest in ((CORE, 0, 500), (INNER, 500, 1000), (OUTER, 1000, 1500), (BEYOND, 1500, 2830)):
        assert from_center_um[zones == zone].min() == pytest.approx(nearest, abs=2 * UM)
        assert from_center_um[zones == zone].max() == pytest.approx(farthest, abs=2 * UM)


def test_the_border_to_glass_is_no_margin() -> None:
    tissue = disc(1000)
    tissue[tissue == STROMA] = 0
    zones = zone_map(tissue, UM)
    assert set(np.unique(zones)) == {0, CORE}
    assert ((zones > 0) == (tissue > 0)).all()


def test_stroma_between_nests_and_necrosis_beside_them_belong_to_the_tumor() -> None:
    tissue = disc(1500)
    tissue[(from_center_um < 1200) & (column % 15 < 7)] = STROMA
    tissue[from_center_um < 300] = NECROSIS
    np.testing.assert_array_equal(zone_map(tissue, UM), zone_map(disc(1500), UM))


def test_a_large_island_of_host_tissue_has_margins() -> None:
    tissue = disc(1800)
    tissue[from_center_um < 400] = STROMA
    zones = zone_map(tissue, UM)
    assert zones[200, 200] == OUTER
    assert zones[200, 245] == INNER


def test_a_fleck_is_no_tumor_and_without_one_all_lies_beyond() -> None:
    for tissue in (disc(60), np.full((50, 50), STROMA, np.uint8)):
        assert (zone_map(tissue, UM) == BEYOND).all()


@given(arrays(np.uint8, (30, 30), elements=st.integers(0, len(TISSUE))), st.floats(4, 60))
def test_zones_cover_the_tissue_and_nothing_else(tissue: NDArray[np.uint8], um_per_map_px: float) -> None:
    np.testing.assert_array_equal(zone_map(tissue, um_per_map_px) > 0, tissue > 0)
