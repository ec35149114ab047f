"""`coverslip model train-tissue`, from painted regions to a model in the list, and what is wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from harness.painted_slides import feature, write_collection, write_slide

SIDE_PX = 2048


def train(*arguments: object, model_id: str = "ours") -> Result:
    command = ["model", "train-tissue", *map(str, arguments), "--id", model_id]
    return CliRunner().invoke(app, command)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERSLIP_MODELS", raising=False)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slide(tmp_path_factory.mktemp("phantom"), seed=2, side_px=SIDE_PX).slide


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """Two classes beside each other, each at two places; the model they make is of no use."""
    corners = [("Stroma", 100, 100), ("Stroma", 1500, 100), ("Blood", 100, 1500), ("Blood", 1500, 1500)]
    features = [feature(name, shapely.box(x, y, x + 200, y + 200)) for name, x, y in corners]
    return write_collection(tmp_path / "painted.geojson", features)


def test_a_model_is_trained_listed_and_replaced(phantom: Path, annotations: Path) -> None:
    done = train(phantom, annotations, "--licence", "CC-BY-4.0")
    assert done.exit_code == 0, done.output
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert rows["Stroma"][0] == rows["Blood"][0] == "2"
    assert "Too few places for figures that mean much: Stroma, Blood." in done.stdout
    assert "COVERSLIP_MODEL_TISSUE=ours" in done.stdout
    assert "mm² painted" in done.stderr
    listed = CliRunner().invoke(app, ["model", "list"]).stdout
    (line,) = [line for line in listed.splitlines() if line.startswith("ours")]
    assert line.split()[1:6] == ["1.0.0", "tissue", "features", "1.0", "CC-BY-4.0"]
    again = train(phantom, annotations)
    assert again.exit_code == 2
    assert "MODEL.ALREADY_THERE" in again.stderr
    replaced = train(phantom, annotations, "--replace", "--version", "1.1.0", "--format", "json")
    card = json.loads(replaced.stdout)
    assert (card["version"], card["class_names"]) == ("1.1.0", ["Stroma", "Blood"])
    assert Path(card["path"]).is_file()


def test_it_may_be_written_elsewhere(phantom: Path, annotations: Path, tmp_path: Path) -> None:
    done = train(phantom, annotations, "--out", tmp_path / "elsewhere")
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"ours.onnx", "ours.json"}
    assert not (tmp_path / "home" / "models").exists()


@pytest.mark.parametrize(
    ("painted", "code", "words"),
    [
        ({"Tumor": (0, 0)}, "MODEL.ANNOTATION_CLASS_UNKNOWN", "Carcinoma, Epithelial Tissue, Necrosis, Stroma, Other"),
        ({"Stroma": (0, 0), "Blood": (3000, 0)}, "MODEL.ANNOTATION_UNUSABLE", "Blood at x 3000, y 0"),
        ({"Stroma": (0, 0)}, "MODEL.TOO_FEW_CLASSES", "at least two classes"),
        ({}, "MODEL.ANNOTATIONS_UNREADABLE", "none of its annotations has a class"),
    ],
    ids=["unknown class", "outside", "one class", "none"],
)
def test_annotations_that_cannot_be_used(
    phantom: Path, tmp_path: Path, painted: dict[str, tuple[int, int]], code: str, words: str
) -> None:
    features = [feature(name, shapely.box(x, y, x + 99, y + 99)) for name, (x, y) in painted.items()]
    refused = train(phantom, write_collection(tmp_path / "painted.geojson", features))
    assert refused.exit_code == 2, refused.output
    assert code in refused.stderr
    assert words in refused.stderr
    assert not (tmp_path / "home").exists()


def test_what_is_no_geojson_and_what_is_no_slide(phantom: Path, annotations: Path) -> None:
    swapped = train(annotations, phantom)
    assert swapped.exit_code == 2
    assert "MODEL.ANNOTATIONS_UNREADABLE" in swapped.stderr
    no_slide = train(annotations, annotations)
    assert no_slide.exit_code == 2
    assert "SLIDE.NOT_A_SLIDE" in no_slide.stderr


def test_a_slide_must_say_its_resolution(annotations: Path, tmp_path: Path) -> None:
    pixels = np.full((2048, 2048, 3), 200, np.uint8)
    tifffile.imwrite(tmp_path / "plain.tif", pixels, photometric="rgb", tile=(256, 256))
    refused = train(tmp_path / "plain.tif", annotations)
    assert refused.exit_code == 2
    assert "MODEL.SLIDE_NOT_FOR_TRAINING" in refused.stderr
    assert "--mpp" in refused.stderr
    coarse = train(tmp_path / "plain.tif", annotations, "--mpp", 2)
    assert coarse.exit_code == 2
    assert "it has 2 µm per pixel" in coarse.stderr
    assert train(tmp_path / "plain.tif", annotations, "--mpp", 0.5).exit_code == 0


@pytest.mark.parametrize(
    ("model_id", "extra", "words"),
    [
        ("Our Colon", (), "--id: String should match"),
        ("ours", ("--version", "one"), "--version: "),
        ("ours", ("--licence", ""), "--licence: "),
    ],
)
def test_options_are_checked_before_anything_is_read(model_id: str, extra: tuple[str, ...], words: str) -> None:
    refused = train("nothing.svs", "nothing.geojson", *extra, model_id=model_id)
    assert refused.exit_code == 2
    assert words in refused.stderr


def test_every_slide_needs_its_annotations(phantom: Path) -> None:
    refused = train(phantom)
    assert refused.exit_code == 2
    assert "each slide with its annotations" in refused.stderr
