"""Nuclei that cannot be refuse the slide, unusual ones are told, and usual ones are not."""

import numpy as np
import pytest

from coverslip.applications.errors import UserError
from coverslip.applications.nuclei_check import check_nuclei
from coverslip.slides.slide import Level, SlideInfo

NAME = "case 7/slide 2"
VALID_UM2 = 1e6
USUAL_UM2 = 30.0


def slide(source: str | None, mpp: float) -> SlideInfo:
    """One that ``source`` in its file says the resolution of, or nothing."""
    sources = {} if source is None else {source: mpp}
    level = Level(1000, 1000, 1.0)
    return SlideInfo(1000, 1000, (level,), mpp, mpp, None, "generic-tiff", "image/tiff", "none", (), sources, ())


def doubts(area_um2: float, mpp: float, count: int = 500, source: str | None = "TIFF resolution") -> list[str]:
    return check_nuclei(np.full(count, area_um2), VALID_UM2, slide(source, mpp), mpp, NAME)


@pytest.mark.parametrize(("area_um2", "likely"), [(2.5, r"about 1\."), (160.0, r"about 0.13\.")])
def test_impossible_sizes_of_nuclei_are_refused(area_um2: float, likely: str) -> None:
    with pytest.raises(UserError, match=likely) as caught:
        doubts(area_um2, 0.25)
    assert caught.value.code == "INPUT.MPP_IMPLAUSIBLE"
    assert NAME in str(caught.value)


def test_unusual_sizes_are_told() -> None:
    (large,) = doubts(90.0, 0.5)
    assert "more than 90 µm² at 0.5 µm per pixel" in large
    assert "about 0.34" in large
    (small,) = doubts(10.0, 0.25)
    assert "less than 10 µm²" in small


def test_hardly_any_nuclei_are_told() -> None:
    (few,) = doubts(USUAL_UM2, 0.5, count=12)
    assert "12 in 1 mm²" in few


def test_a_resolution_finer_than_scanners_have_is_told_unless_the_scanner_states_it() -> None:
    assert doubts(USUAL_UM2, 0.125, source="Aperio MPP") == []
    for source in ("TIFF resolution", None):
        (fine,) = doubts(USUAL_UM2, 0.125, source=source)
        assert "0.125 µm per pixel is finer" in fine


def test_usual_nuclei_raise_no_doubt() -> None:
    assert doubts(USUAL_UM2, 0.5) == doubts(USUAL_UM2, 0.25, source=None) == []
