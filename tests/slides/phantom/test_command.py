"""`coverslip wsi phantom` as a person types it."""

import json
from pathlib import Path

from typer.testing import CliRunner

from coverslip.cli.main import app
from coverslip.slides import open_slide


def test_phantom_is_written_and_its_files_are_named(tmp_path: Path) -> None:
    out = tmp_path / "phantom.tif"
    options = ["--width-px", "1500", "--height-px", "1100", "--mpp", "0.25", "--no-fold", "--jobs", "1"]
    result = CliRunner().invoke(app, ["wsi", "phantom", str(out), *options, "--format", "json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["label_px"] == 16
    assert sum(told["nucleus_count"].values()) == len(Path(told["nuclei"]).read_text().splitlines())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "phantom.tif",
        "phantom.truth.geojson",
        "phantom.truth.nuclei.geojsonl",
        "phantom.truth.qc.tif",
        "phantom.truth.tissue.tif",
    ]
    with open_slide(out) as slide:
        assert (slide.info.width_px, slide.info.height_px) == (1500, 1100)


def test_wrong_sizes_are_told_with_what_is_allowed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["wsi", "phantom", str(tmp_path / "phantom.tif"), "--width-px", "10"])
    assert result.exit_code != 0
    assert "512 to 100000" in result.output
    assert list(tmp_path.iterdir()) == []
