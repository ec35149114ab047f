from pathlib import Path

import pytest

from harness.results import cell_table, write_results

WIDTH_PX, HEIGHT_PX, MPP = 2220, 2967, 0.499
"""Of CMU-1-Small-Region."""


@pytest.fixture(scope="session")
def slides() -> Path:
    return Path(__file__).parents[3] / "shared" / "slides"


@pytest.fixture(scope="session")
def slide(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of `slide`, with 800 cells of all classes."""
    cells = cell_table(800, WIDTH_PX, HEIGHT_PX, MPP)
    return write_results(tmp_path_factory.mktemp("results"), cells, WIDTH_PX, HEIGHT_PX, MPP)
