from pathlib import Path

import pytest

SLIDES = Path(__file__).parents[3] / "shared" / "slides"


@pytest.fixture(scope="session")
def slides() -> Path:
    return SLIDES


@pytest.fixture(scope="session")
def svs(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="session")
def pyramid(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.pyramid.tif"
