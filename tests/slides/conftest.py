import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.slides import open_slide

SLIDES = Path(__file__).parents[3] / "shared" / "slides"


def _helper(name: str) -> ModuleType:
    """A module of this folder, which is no package, for all its tests."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


for helper in ("dicom_writer", "tiff_writer", "abuse"):
    _helper(helper)


@pytest.fixture(scope="session")
def slides() -> Path:
    return SLIDES


@pytest.fixture(scope="session")
def svs(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="session")
def pyramid(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.pyramid.tif"


@pytest.fixture(scope="session")
def levels(pyramid: Path) -> list[NDArray[np.uint8]]:
    """The pixels of the levels of a real pyramid."""
    with open_slide(pyramid) as slide:
        return [
            slide.read_region(0, 0, number, level.width_px, level.height_px)
            for number, level in enumerate(slide.info.levels)
        ]


@pytest.fixture(scope="session")
def abused() -> Iterator[object]:
    """A process that opens slides which mean harm."""
    from abuse import AbusedChild

    child = AbusedChild()
    yield child
    child.close()
