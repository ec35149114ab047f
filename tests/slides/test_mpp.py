from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from coverslip.slides import open_slide
from coverslip.slides.mpp import (
    mpp_from_aperio,
    mpp_from_ome,
    mpp_from_openslide,
    mpp_from_openslide_tiff,
    mpp_from_resolution,
    positive,
    stated,
)


def test_openslide() -> None:
    assert mpp_from_openslide({"openslide.mpp-x": "0.25", "openslide.mpp-y": "0.26"}) == (0.25, 0.26)
    assert mpp_from_openslide({"openslide.mpp-x": "0.25"}) is None
    assert mpp_from_openslide({"openslide.mpp-x": "none", "openslide.mpp-y": "0.2"}) is None


def test_aperio() -> None:
    assert mpp_from_aperio("Aperio Image Library\r\n10x10|AppMag = 20|MPP = 0.4990|Left = 1") == (0.499, 0.499)
    assert mpp_from_aperio("Aperio|MPP = 0,2520") == (0.252, 0.252)
    assert mpp_from_aperio("Aperio|AppMag = 20") is None


@given(st.floats(0.05, 20))
def test_resolution_in_centimetres_and_inches(mpp: float) -> None:
    assert mpp_from_resolution(1e4 / mpp, 1e4 / mpp, 3) == pytest.approx((mpp, mpp))
    assert mpp_from_resolution(25_400 / mpp, 25_400 / mpp, 2) == pytest.approx((mpp, mpp))


def test_resolution_without_meaning() -> None:
    assert mpp_from_resolution(72, 72, 2) is None
    assert mpp_from_resolution(20_000, 20_000, 1) is None
    assert mpp_from_resolution(0, 0, 3) is None


@pytest.mark.parametrize(("size", "unit"), [("0.25", ""), ("0.25", "µm"), ("250", "nm"), ("0.00025", "mm")])
def test_ome(size: str, unit: str) -> None:
    attribute = ' PhysicalSize{0}Unit="{1}"' if unit else ""
    axes = "".join(f' PhysicalSize{axis}="{size}"' + attribute.format(axis, unit) for axis in "XY")
    assert mpp_from_ome(f'<OME><Image><Pixels ID="1"{axes}/></Image></OME>') == pytest.approx((0.25, 0.25))


def test_ome_without_size() -> None:
    assert mpp_from_ome("<OME/>") is None
    assert mpp_from_ome('<Pixels PhysicalSizeX="1" PhysicalSizeY="1" PhysicalSizeXUnit="pixel"/>') is None


def test_openslide_repeats_tiff_tags() -> None:
    tags = {"tiff.XResolution": "20000", "tiff.YResolution": "20000", "tiff.ResolutionUnit": "centimeter"}
    assert mpp_from_openslide_tiff(tags) == (0.5, 0.5)
    assert mpp_from_openslide_tiff({**tags, "tiff.ResolutionUnit": "none"}) is None
    assert mpp_from_openslide_tiff({}) is None


@given(st.text())
def test_positive_of_anything(text: str) -> None:
    value = positive(text)
    assert value is None or value > 0


def test_the_first_source_is_used_and_contradictions_are_told() -> None:
    agreed = stated({"a": None, "b": (0.5, 0.5), "c": (0.52, 0.52)})
    assert (agreed.x, agreed.y, agreed.sources, agreed.warnings) == (0.5, 0.5, {"b": 0.5, "c": 0.52}, ())
    (warning,) = stated({"a": (0.25, 0.25), "b": (0.5, 0.5)}).warnings
    assert "0.25 µm/px (a), 0.5 µm/px (b); the first is used" in warning
    (warning,) = stated({"a": (0.25, 0.5)}).warnings
    assert "not square" in warning
    nothing = stated({"a": None})
    assert (nothing.x, nothing.y, nothing.sources, nothing.warnings) == (None, None, {}, ())


def test_a_slide_tells_all_its_sources(slides: Path, tmp_path: Path) -> None:
    with open_slide(slides / "CMU-1-Small-Region.ome.tif") as slide:
        assert slide.info.mpp_sources == pytest.approx({"OME PhysicalSize": 0.499, "TIFF resolution": 0.499})
        assert slide.info.warnings == ()
    path = tmp_path / "torn.tif"
    for description, dtype in (("Aperio Image Library\r\n|MPP = 0.25", np.uint8), ("plain", np.uint8)):
        pixels = np.zeros((300, 300, 3), dtype)
        resolution = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(
            path, pixels, tile=(64, 64), photometric="rgb", description=description, metadata=None, **resolution
        )
        with open_slide(path) as slide:
            if description == "plain":
                assert (slide.info.mpp, slide.info.warnings) == (0.5, ())
            else:
                assert slide.info.mpp_sources == {"Aperio MPP": 0.25, "TIFF resolution": 0.5}
                assert slide.info.mpp == 0.25
                assert "different resolutions" in slide.info.warnings[0]
