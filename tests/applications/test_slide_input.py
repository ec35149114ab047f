"""What is wrong with a slide is its submitter's error, with cause and cure."""

import numpy as np
import pytest

from coverslip.applications.errors import UserError
from coverslip.applications.slide_input import check_stain

NAME = "case 7/slide 2"
GLASS = np.full((60, 60, 3), 243, np.uint8)


def overview(color: tuple[int, int, int], ground: np.ndarray = GLASS) -> np.ndarray:
    shown = ground.copy()
    shown[10:50, 10:50] = color
    return shown


def test_hae_passes() -> None:
    check_stain(overview((190, 120, 170)), NAME)


@pytest.mark.parametrize(
    ("shown", "code", "says"),
    [
        (overview((140, 90, 50)), "INPUT.WRONG_STAIN", "brown"),
        (overview((40, 140, 60), 255 - GLASS), "INPUT.WRONG_STAIN", "dark"),
        (overview((120, 120, 120)), "INPUT.COLOURS_BROKEN", "without any colour"),
        (overview((255, 121, 255), np.full_like(GLASS, 90)), "INPUT.COLOURS_BROKEN", "converted"),
    ],
    ids=["immunohistochemistry", "inverted", "grey", "converted twice"],
)
def test_what_cannot_be_hae_is_refused(shown: np.ndarray, code: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        check_stain(shown, NAME)
    assert caught.value.code == code
    assert NAME in str(caught.value)
