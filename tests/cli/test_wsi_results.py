"""`coverslip wsi overlay` and `coverslip wsi export` as a person types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from harness.results import cell_table, write_results


@pytest.fixture(scope="module")
def slide() -> Path:
    return Path(__file__).parents[3] / "shared" / "slides" / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"), cell_table(100, 2220, 2967, 0.499), 2220, 2967, 0.499)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["wsi", *map(str, arguments)])


def test_overlay_writes_a_picture(slide: Path, results: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "overlay.png"
    done = run("overlay", slide, results, out, "--region", "100,200,600,400", "--layer", "qc", "--max-size", "300")
    assert done.exit_code == 0, done.output
    with Image.open(out) as picture:
        assert picture.height == 200
        assert f"{picture.width} × 200 px, qc" in done.stdout


def test_overlay_shows_tissue_and_cells_unless_told_otherwise(slide: Path, results: Path, tmp_path: Path) -> None:
    done = run("overlay", slide, results, tmp_path / "overlay.png", "--format", "json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["layers"] == ["tissue", "cells"]
    assert told["height_px"] == 2048


@pytest.mark.parametrize(
    ("target", "name"), [("anndata", "cells.h5ad"), ("spatialdata", "slide.zarr"), ("ome-tiff", "overlay.ome.tif")]
)
def test_export_writes_what_is_asked_for(slide: Path, results: Path, tmp_path: Path, target: str, name: str) -> None:
    done = run("export", results, tmp_path / name, "--to", target, "--slide", slide)
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).exists()
    assert done.stdout.strip() == str(tmp_path / name)
    assert done.stderr == ""


def test_export_of_dicom_says_that_the_identifiers_are_made_up(slide: Path, results: Path, tmp_path: Path) -> None:
    done = run("export", results, tmp_path / "dicom", "--to", "dicom", "--slide", slide, "--format", "json")
    assert done.exit_code == 0, done.output
    files = [tmp_path / "dicom" / name for name in ("cells.dcm", "tissue.dcm")]
    assert json.loads(done.stdout) == {"files": [str(file) for file in files]}
    assert all(file.is_file() for file in files)
    assert "identifiers made from its name, size and checksum" in done.stderr


def test_a_folder_is_never_written_over(slide: Path, results: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").touch()
    done = run("export", results, tmp_path / "mine", "--to", "spatialdata")
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert (tmp_path / "mine" / "kept").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"slide": "none.svs"}, "There is no file none.svs"),
        ({"slide": "readme.txt"}, "readme.txt is not a whole slide image"),
        ({"results": "."}, "There is no file tissue_segmentation_parquet_polygons.parquet"),
        ({"region": "9000,9000,10,10"}, "does not touch CMU-1-Small-Region.svs, which has 2220 × 2967 px"),
        ({"region": "1,2,3"}, "1,2,3 is not x,y,width,height"),
        ({"region": "0,0,0,50"}, "does not touch"),
        ({"out": "readme.txt/overlay.png"}, "cannot be written"),
    ],
)
def test_overlay_says_what_is_wrong(
    slide: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("readme.txt").write_text("no slide")
    given = {"slide": slide, "results": results, "out": "overlay.png", "region": "0,0,100,100"} | change
    done = run("overlay", given["slide"], given["results"], given["out"], "--region", given["region"])
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.split())
    assert not Path("overlay.png").exists()


@pytest.mark.parametrize("target", ["dicom", "ome-tiff"])
def test_export_says_that_it_needs_the_slide(results: Path, tmp_path: Path, target: str) -> None:
    done = run("export", results, tmp_path / "out", "--to", target)
    assert done.exit_code == 2
    assert "needs the slide" in done.stderr


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [
        ("highdicom", "dicom", ["export", "results", "out", "--to", "dicom", "--slide", "slide.svs"]),
        ("spatialdata", "spatial", ["export", "results", "out", "--to", "spatialdata"]),
        ("pyarrow", "server", ["overlay", "slide.svs", "results", "out.png"]),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, package: str, extra: str, command: list[str]
) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv = ['coverslip', 'wsi', *{command!r}];"
        "from coverslip.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert f"needs the package {package}" in done.stderr
    assert f"pip install 'coverslip[{extra}]'" in done.stderr


def test_help_loads_no_image_analysis() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from coverslip.cli.main import app;"
        "assert CliRunner().invoke(app, ['wsi', '--help']).exit_code == 0;"
        "heavy = ('numpy', 'cv2', 'shapely', 'pyarrow', 'highdicom', 'PIL', 'coverslip.pathology');"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
