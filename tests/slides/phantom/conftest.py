import pytest

from coverslip.slides.phantom import PenColor, PhantomOptions, PhantomTruth, write_phantom

SMALL = PhantomOptions(width_px=3700, height_px=2900, seed=3, pen_color=PenColor.GREEN)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """A phantom of 3700 x 2900 px with all defects: sizes that fit neither blocks nor tiles."""
    return write_phantom(tmp_path_factory.mktemp("phantom") / "small.tif", SMALL, jobs=1)
