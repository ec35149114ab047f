"""What cannot be H&E is told, and H&E in all its shades is not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from coverslip.pathology.stain import STAIN_VECTORS, optical_density, stain_concentrations
from coverslip.pathology.stain_plausibility import StainFault, find_stain_fault
from coverslip.slides import open_slide
from coverslip.slides.phantom import PenColor, PhantomOptions, write_phantom

SHARED = Path(__file__).parents[3] / "shared"
SLIDES = (
    "CMU-1-Small-Region.svs",
    "CMU-1-small.tiff",
    "TCGA-CR-7395-01A-01-TS1.crop.svs",
    "TCGA-LUAD_86-6562_volume_8mpp.dcm",
)
Rgb = NDArray[np.uint8]
GLASS = (243.0, 242.0, 244.0)


def overview(name: str, side_px: int = 400) -> Rgb:
    with open_slide(SHARED / "slides" / name) as slide:
        return slide.thumbnail(side_px)


def mixed(*stains: Rgb | NDArray[np.float32], vectors: NDArray[np.float64]) -> Rgb:
    """An image of stains (h, w) with those vectors."""
    density = np.maximum(np.stack(stains, axis=-1) @ vectors, 0)
    return np.clip(np.array(GLASS) * 10**-density, 0, 255).astype(np.uint8)


OVERVIEWS = {name: overview(name) for name in SLIDES}
CONCENTRATIONS = {name: stain_concentrations(optical_density(rgb, GLASS)) for name, rgb in OVERVIEWS.items()}


@pytest.mark.parametrize("name", SLIDES)
@pytest.mark.parametrize("side_px", [100, 1024])
def test_slides_may_be_hae(name: str, side_px: int) -> None:
    assert find_stain_fault(overview(name, side_px)) is None


@pytest.mark.parametrize("fields", ["qc/*.png", "nuclei/dsb_*.png", "nuclei_classes_hgsc/*.jpg"])
def test_fields_with_and_without_glass_and_pen_may_be_hae(fields: str) -> None:
    """Among them fields full of pen, and of glass."""
    images = [path for path in (SHARED / "eval").glob(fields) if not path.stem.endswith(("_labels", "_mask"))]
    assert images
    faults = {path.name: find_stain_fault(np.asarray(Image.open(path).convert("RGB"))) for path in images}
    assert {name: fault for name, fault in faults.items() if fault} == {}


@pytest.mark.parametrize(("seed", "pen"), list(enumerate(PenColor)))
def test_phantoms_may_be_hae(tmp_path: Path, seed: int, pen: PenColor) -> None:
    options = PhantomOptions(width_px=3000, height_px=3000, seed=seed, pen_color=pen)
    with open_slide(write_phantom(tmp_path / "phantom.tif", options, jobs=1).slide) as slide:
        assert find_stain_fault(slide.thumbnail(512)) is None


@given(
    st.sampled_from(SLIDES),
    st.floats(0.35, 2.2),
    st.floats(0.35, 2.2),
    st.tuples(st.floats(0.88, 1), st.floats(0.95, 1), st.floats(0.88, 1)),
    st.floats(0.7, 1),
)
def test_pale_strong_and_shifted_stain_may_be_hae(
    name: str, haematoxylin: float, eosin: float, lamp: tuple[float, float, float], light: float
) -> None:
    strength = np.array([haematoxylin, eosin, eosin])
    rgb = mixed(*np.moveaxis(CONCENTRATIONS[name] * strength, -1, 0), vectors=STAIN_VECTORS)
    assert find_stain_fault((rgb * np.array(lamp) * light).astype(np.uint8)) is None


@pytest.mark.parametrize("name", SLIDES)
def test_black_padding_is_no_dark_ground(name: str) -> None:
    rgb = OVERVIEWS[name]
    padded = np.zeros((rgb.shape[0] * 2, rgb.shape[1] * 2, 3), np.uint8)
    padded[: rgb.shape[0], : rgb.shape[1]] = rgb
    assert find_stain_fault(padded) is None
    tissue_only = np.where((rgb.min(axis=2) > 190)[..., np.newaxis], 0, padded[: rgb.shape[0], : rgb.shape[1]])
    assert find_stain_fault(tissue_only.astype(np.uint8)) is None


@given(st.sampled_from(SLIDES), st.floats(0.3, 1), st.floats(1.2, 3))
def test_immunohistochemistry_is_brown(name: str, haematoxylin: float, dab: float) -> None:
    blue, *pink = np.moveaxis(np.maximum(CONCENTRATIONS[name], 0), -1, 0)
    negative = blue < np.median(blue[blue > 0.1])
    rgb = mixed(haematoxylin * negative * blue, dab * sum(pink), vectors=STAIN_VECTORS[[0, 2]])
    assert find_stain_fault(rgb) is StainFault.BROWN


@pytest.mark.parametrize("name", SLIDES)
def test_broken_colours(name: str) -> None:
    rgb = OVERVIEWS[name]
    size = (rgb.shape[1], rgb.shape[0])
    chroma = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    assert find_stain_fault(chroma) is StainFault.CHROMA_AS_COLOR
    converted = np.asarray(Image.frombytes("YCbCr", size, rgb.tobytes()).convert("RGB"))
    assert find_stain_fault(converted) is StainFault.COLOR_AS_CHROMA
    assert find_stain_fault(np.dstack([rgb[..., 1]] * 3)) is StainFault.GREY


@pytest.mark.parametrize("name", SLIDES)
def test_dark_ground(name: str) -> None:
    inverted = 255 - OVERVIEWS[name]
    assert find_stain_fault(inverted) is StainFault.DARK_GROUND
    blue_nuclei = np.dstack([inverted[..., 0] // 20, inverted[..., 0] // 8, inverted[..., 0]])
    assert find_stain_fault(blue_nuclei) is StainFault.DARK_GROUND
    nuclei, cytoplasm = (np.clip(120 * CONCENTRATIONS[name][..., stain], 0, 255).astype(np.uint8) for stain in (0, 1))
    assert find_stain_fault(np.dstack([cytoplasm, np.zeros_like(nuclei), nuclei])) is StainFault.DARK_GROUND


def test_glass_has_no_stain_to_be_wrong() -> None:
    assert find_stain_fault(np.full((50, 50, 3), 240, np.uint8)) is None
    dust = np.full((50, 50, 3), 240, np.uint8)
    dust[:5, :5] = 90
    assert find_stain_fault(dust) is None
