"""`coverslip model` and `coverslip wsi nuclei, cells, qc`, from added model to written labels."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from coverslip.pathology.classes import CELL
from coverslip.pathology.metrics import score_instances
from coverslip.slides.plain_images import read_labels
from harness.tiny_models import coloured, write_tiny_model


def coverslip(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERSLIP_MODELS", raising=False)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))


@pytest.fixture
def truth() -> NDArray[np.int32]:
    labels = np.zeros((100, 140), np.int32)
    for number, (x, y) in enumerate([(30, 30), (47, 30), (110, 70)], 1):
        cv2.circle(labels, (x, y), 9, number, -1)
    return labels


@pytest.mark.parametrize("kind", ["probability", "distance", "hover", "stardist"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_an_added_model_finds_nuclei(kind: str, suffix: str, truth: NDArray[np.int32], tmp_path: Path) -> None:
    added = coverslip("model", "add", write_tiny_model(tmp_path, kind))
    assert added.exit_code == 0, added.output
    assert f"{kind} 1.0.0" in added.stdout
    assert kind in coverslip("model", "list").stdout
    Image.fromarray(coloured(truth, kind)).save("field.png")
    done = coverslip("wsi", "nuclei", "field.png", "--mpp", 0.5, "--labels", f"l{suffix}", "--model", kind)
    assert done.exit_code == 0, done.output
    assert f"3 nuclei, found by {kind}" in done.stdout
    assert score_instances(truth, read_labels(Path(f"l{suffix}"))).matched == 3


def test_models_as_json_have_their_cards(tmp_path: Path) -> None:
    coverslip("model", "add", write_tiny_model(tmp_path, "hover"))
    models = json.loads(coverslip("model", "list", "--format", "json").stdout)
    (hover,) = (model for model in models if model["id"] == "hover")
    assert hover["licence"] == "CC0-1.0"
    assert Path(hover["path"]).is_file()


def test_the_default_model_needs_no_name(truth: NDArray[np.int32]) -> None:
    Image.fromarray(coloured(truth, "probability")).save("field.png")
    assert coverslip("wsi", "nuclei", "field.png", "--mpp", 0.5, "--labels", "l.png").exit_code == 0
    assert read_labels(Path("l.png")).shape == truth.shape


def test_faults_are_told_with_their_cure(tmp_path: Path) -> None:
    wrong = write_tiny_model(tmp_path, "distance")
    wrong.write_bytes(wrong.read_bytes() + b"x")
    refused = coverslip("model", "add", wrong)
    assert refused.exit_code == 2
    assert "MODEL.FILE_CHANGED" in refused.stderr
    Image.new("RGB", (8, 8)).save("field.png")
    unknown = coverslip("wsi", "nuclei", "field.png", "--mpp", 0.5, "--labels", "l.png", "--model", "nothing")
    assert unknown.exit_code == 2
    assert "coverslip model add" in unknown.stderr
    assert coverslip("wsi", "qc", "nothing.png", "--mpp", 1, "--mask", "m.png").exit_code == 2
    assert coverslip("model", "evaluate", tmp_path / "nowhere").exit_code == 2
    unwritable = coverslip("wsi", "qc", "field.png", "--mpp", 1, "--mask", "field.png/m.png")
    assert unwritable.exit_code == 2
    assert "CLIENT.FOLDER_UNUSABLE" in unwritable.stderr


def test_qc_writes_a_mask_and_its_legend() -> None:
    rgb = np.full((300, 400, 3), 240, np.uint8)
    cv2.line(rgb, (30, 150), (370, 150), (60, 150, 90), 30)
    Image.fromarray(rgb).save("field.png")
    done = coverslip("wsi", "qc", "field.png", "--mpp", 8, "--mask", "m.png")
    assert done.exit_code == 0, done.output
    marker = next(line for line in done.stdout.splitlines() if line.startswith("3 Marker"))
    mask = np.asarray(Image.open("m.png"))
    assert mask.shape == (300, 400)
    assert mask[150, 200] == 3
    assert float(marker.split()[-1].rstrip("%")) == pytest.approx(100 * (mask == 3).mean(), abs=0.01)


def test_cells_are_named_by_their_labels(truth: NDArray[np.int32]) -> None:
    Image.new("RGB", truth.shape[::-1]).save("field.png")
    Image.fromarray((truth * 100).astype(np.uint16)).save("l.png")
    done = coverslip("wsi", "cells", "field.png", "--mpp", 0.5, "--labels", "l.png", "--out", "cells.json")
    assert done.exit_code == 0, done.output
    named = json.loads(Path("cells.json").read_text())
    assert set(named) == {"100", "200", "300"}
    assert set(named.values()) <= set(CELL)
    assert sum(int(line.split()[-1]) for line in done.stdout.splitlines()) == len(named)


def test_a_model_is_measured(truth: NDArray[np.int32], tmp_path: Path) -> None:
    coverslip("model", "add", write_tiny_model(tmp_path, "probability"))
    folder = tmp_path / "labelled"
    folder.mkdir()
    Image.fromarray(coloured(truth, "probability")).save(folder / "kumar_1.png")
    Image.fromarray(truth.astype(np.uint16)).save(folder / "kumar_1_labels.png")
    (folder / "manifest.json").write_text(json.dumps([{"name": "kumar_1", "mpp": 0.5}]))
    done = coverslip("model", "evaluate", folder, "--model", "probability", "--json", "figures.json")
    assert done.exit_code == 0, done.output
    row = next(line for line in done.stdout.splitlines() if line.startswith("kumar"))
    assert row.split()[1:5] == ["1", "3", "3", "1.000"]
    figures = json.loads(Path("figures.json").read_text())
    assert figures["nuclei"]["kumar"]["f1_at_iou_0.5"] == 1
    shown = coverslip("model", "evaluate", folder, "--model", "probability", "--format", "json")
    assert json.loads(shown.stdout) == figures
