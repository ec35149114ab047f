import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.slides.mpp import mpp_from_aperio, mpp_from_ome, mpp_from_openslide, mpp_from_resolution


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
