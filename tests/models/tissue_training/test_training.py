"""A model that was trained on a few painted discs names the tissue of a slide that it never saw."""

from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile
from numpy.typing import NDArray

from coverslip.applications.tissue_maps import OVERVIEW_PX, TissueMaps, map_tissue
from coverslip.models.card import Task
from coverslip.models.errors import ModelAlreadyThere, TooFewClasses
from coverslip.models.library import find_model
from coverslip.models.settings import ModelSettings
from coverslip.models.tissue_model import TissueModel, open_tissue_model
from coverslip.models.tissue_training.samples import PaintedSlide
from coverslip.models.tissue_training.training import TrainedModel, draft_card, train_tissue_model
from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.tissue_features import TISSUE_FEATURES
from coverslip.pathology.tissue_qc import VALID
from coverslip.slides import open_slide
from coverslip.slides.phantom import PhantomTruth
from harness.painted_slides import MPP, feature, paint_truth, write_collection, write_slide

LYMPH_RICH, RICH_IN_FAT = 2, 5
"""Seeds of phantoms. Lymphocytes and fat are Other in truth; the rules take lymphocytes for epithelium."""
UNSEEN = 10
LEAST_CELLS = 500


def settings_of(folder: Path) -> ModelSettings:
    return ModelSettings(models=folder, model_tissue="ours")


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> list[PaintedSlide]:
    folder = tmp_path_factory.mktemp("painted")
    return [paint_truth(write_slide(folder, seed)) for seed in (LYMPH_RICH, RICH_IN_FAT)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def trained(painted: list[PaintedSlide], library: Path) -> TrainedModel:
    told: list[str] = []
    made = train_tissue_model(painted, draft_card("ours", "1.2.0", "CC0-1.0"), settings_of(library), told.append)
    assert len(told) == len(painted)
    return made


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    return write_slide(tmp_path_factory.mktemp("unseen"), UNSEEN)


def mapped(phantom: PhantomTruth, model: TissueModel | None, **options: int) -> TissueMaps:
    with open_slide(phantom.slide) as slide:
        return map_tissue(slide, MPP, slide.thumbnail(OVERVIEW_PX), lambda _: None, model, **options)


def macro_dice(truth: NDArray[np.uint8], found: NDArray[np.uint8]) -> float:
    both = (truth > 0) & (found > 0)
    masks = [(both & (truth == label), both & (found == label)) for label in range(1, len(TISSUE) + 1)]
    return float(np.mean([2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in masks if a.sum() >= LEAST_CELLS]))


def test_it_does_better_than_the_rules(trained: TrainedModel, library: Path, unseen: PhantomTruth) -> None:
    truth = tifffile.imread(unseen.tissue, key=0)
    model = open_tissue_model(settings_of(library))
    maps = mapped(unseen, model)
    assert macro_dice(truth, maps.tissue) > 0.88
    assert macro_dice(truth, maps.tissue) > macro_dice(truth, mapped(unseen, None).tissue) + 0.25
    assert np.array_equal(maps.tissue > 0, maps.quality.labels == VALID)
    names = {label_of(TISSUE, name) for name in trained.model.card.class_names}
    assert set(np.unique(maps.tissue)) <= {0, *names}


def test_the_map_does_not_depend_on_the_tiles(trained: TrainedModel, library: Path, unseen: PhantomTruth) -> None:
    model = open_tissue_model(settings_of(library))
    assert np.array_equal(mapped(unseen, model).tissue, mapped(unseen, model, tile_px=700).tissue)


def test_its_card_says_what_it_is(trained: TrainedModel, library: Path) -> None:
    card = find_model("ours", Task.TISSUE, library).card
    assert card == trained.model.card
    assert (card.version, card.licence, card.input.features) == ("1.2.0", "CC0-1.0", TISSUE_FEATURES)
    assert card.class_names == ("Epithelial Tissue", "Stroma", "Other", "Blood")
    assert "mm² painted on 2 slides" in card.training_data
    assert "phantom" not in card.training_data, "names of slides may be those of patients"
    figures = {each["name"]: each for each in card.measured_quality["cross_validation"]["classes"]}
    assert figures["Stroma"]["recall"] > 0.9
    assert figures["Blood"]["places"] == 2
    assert trained.quality.too_few == ("Blood",)


def test_another_of_its_id_is_refused_before_anything_is_read(trained: TrainedModel, library: Path) -> None:
    missing = [PaintedSlide(Path("no.svs"), Path("no.geojson"))]
    with pytest.raises(ModelAlreadyThere):
        train_tissue_model(missing, draft_card("ours", "1.3.0", "CC0-1.0"), settings_of(library), print)


def test_one_class_is_not_enough(painted: list[PaintedSlide], tmp_path: Path) -> None:
    one = write_collection(tmp_path / "one.geojson", [feature("Stroma", shapely.box(2000, 2000, 2100, 2100))])
    with pytest.raises(TooFewClasses, match="show Stroma only"):
        train_tissue_model(
            [PaintedSlide(painted[0].slide, one)], draft_card("one", "1.0.0", "CC0-1.0"), settings_of(tmp_path), print
        )
    assert not list(tmp_path.glob("*.onnx"))
