"""H&E TME on real slides and on phantoms."""

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
import tifffile
from tests.applications.conftest import Published

from coverslip.applications.errors import UserError
from coverslip.applications.he_tme import MANIFEST, process
from coverslip.applications.manifest import load_manifest
from coverslip.applications.protocol import InputFile, Item
from coverslip.pathology.classes import ANUCLEATE, CELL, TISSUE
from coverslip.pathology.readouts.columns import slide_columns
from coverslip.slides import open_slide
from coverslip.slides.phantom import PhantomOptions, write_phantom
from harness.feature_models import write_feature_model
from harness.tiny_models import write_typed_model

VERSION = load_manifest(MANIFEST).versions[0]
KERATIN = shapely.Polygon(
    [
        *((1450, 960), (1590, 910), (1610, 1020), (1580, 1130), (1600, 1200), (1580, 1290), (1640, 1370), (1740, 1320)),
        *((1780, 1390), (1680, 1480), (1560, 1620), (1360, 1840), (1300, 1840), (1200, 1720), (1175, 1640)),
        *((1230, 1420), (1290, 1250), (1350, 1120)),
    ]
)
"""The horn layer and its flakes in CMU-1-Small-Region, level-0 pixels, drawn by eye."""
LEAST_CELLS, MOST_KERATIN_NUCLEI = 800, 20


def analyse(path: Path, published: Published, disease: str = "OTHER", **metadata: object) -> list[tuple[str, float]]:
    told: list[tuple[str, float]] = []
    given = {"staining_method": "H&E", "specimen": {"disease": disease, "tissue": "OTHER"}, **metadata}
    item = Item("4f0ee4ba-6d1c-4f0c-a6c4-0d2b6f1f8a52", path.name, {"whole_slide_image": InputFile(path, given)})
    process(item, published, lambda stage, fraction: told.append((stage, fraction)))
    return told


def columns_of(path: Path) -> list[dict[str, str]]:
    notice, *lines = path.read_text(encoding="utf-8").splitlines()
    assert notice == "# For Research Use Only"
    return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def skin(slides: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, list[tuple[str, float]]]:
    """The results of a piece of skin, and what was told of the progress."""
    published = Published(tmp_path_factory.mktemp("skin"))
    return published, analyse(slides / "CMU-1-Small-Region.svs", published)


def test_all_artifacts_of_a_real_slide_fit_the_manifest_and_each_other(
    skin: tuple[Published, list[tuple[str, float]]],
) -> None:
    published, told = skin
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0

    assert set(published.artifacts) == {output.name for output in VERSION.output_artifacts}
    for output in VERSION.output_artifacts:
        path, metadata = published.artifacts[output.name]
        jsonschema.validate({**metadata, "checksum_base64_crc32c": "AAAAAA=="}, output.metadata_schema)
        assert path.name.startswith(output.name.replace(":", "_"))

    features = json.loads(published.artifacts["cell_classification:geojson_polygons"][0].read_text())["features"]
    table = pq.read_table(published.artifacts["cell_classification:parquet_polygons"][0])
    cells = columns_of(published.artifacts["readout_generation:cell_readouts"][0])
    (slide,) = columns_of(published.artifacts["readout_generation:slide_readouts"][0])
    assert list(slide) == list(slide_columns())
    assert len(features) == table.num_rows == len(cells) == int(float(slide["CELL_N_TOTAL"])) > LEAST_CELLS
    named = Counter(feature["properties"]["classification"]["name"] for feature in features)
    assert named == Counter(cell["CELL_CLASS"] for cell in cells)
    assert set(named) <= set(CELL)
    for name in CELL:
        assert named[name] == int(float(slide[f"CELL_COUNT_{name.upper().replace(' ', '_')}"]))
    assert not any(cell[f"IN_{name.upper()}"] == "true" for cell in cells for name in ANUCLEATE)

    outlines = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    assert shapely.is_valid(outlines).all()
    assert shapely.equals(outlines, shapely.from_wkb(table["geometry"].to_pylist())).all()
    assert shapely.contains(KERATIN, shapely.centroid(outlines)).sum() < MOST_KERATIN_NUCLEI


def test_epidermis_is_epithelium_and_its_nuclei_are_epithelial(
    skin: tuple[Published, list[tuple[str, float]]],
) -> None:
    published, _ = skin
    cells = columns_of(published.artifacts["readout_generation:cell_readouts"][0])

    def classes_in(box: shapely.Polygon) -> Counter[str]:
        inside = (
            cell for cell in cells if box.contains(shapely.Point(float(cell["CENTROID_X"]), float(cell["CENTROID_Y"])))
        )
        return Counter(cell["CELL_CLASS"] for cell in inside)

    epidermis, dermis = classes_in(shapely.box(1090, 1750, 1190, 2250)), classes_in(shapely.box(650, 2450, 780, 2600))
    assert epidermis["Epithelial cell"] > 0.55 * epidermis.total() > 20
    upper_dermis = classes_in(shapely.box(900, 1250, 1050, 2000))
    assert upper_dermis["Fibroblast"] + upper_dermis["Lymphocyte"] > 0.6 * upper_dermis.total() > 20
    assert dermis.total() > 0


def test_carcinoma_is_given_only_where_a_cancer_was_submitted(tmp_path: Path, published: Published) -> None:
    slide = tmp_path / "phantom.tif"
    write_phantom(slide, PhantomOptions(width_px=2048, height_px=2048, seed=5))
    analyse(slide, published)
    cells = columns_of(published.artifacts["readout_generation:cell_readouts"][0])
    assert not any(cell["CELL_CLASS"] == "Carcinoma cell" for cell in cells)
    tissue = published.artifacts["tissue_segmentation:csv_class_information"][0].read_text().splitlines()
    assert {line.split(",")[0] for line in tissue[1:]} == set(TISSUE)


def test_models_of_the_site_have_the_last_word(
    tmp_path: Path, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_feature_model(tmp_path, class_names=("Carcinoma", "Vessel"))
    chosen = {
        "COVERSLIP_MODELS": str(tmp_path),
        "COVERSLIP_MODEL_TISSUE": "ours",
        "COVERSLIP_MODEL_NUCLEI": "classical",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    slide = tmp_path / "phantom.tif"
    write_phantom(slide, PhantomOptions(width_px=2048, height_px=2048, seed=5))
    analyse(slide, published)

    _, *areas = published.artifacts["tissue_segmentation:csv_class_information"][0].read_text().splitlines()
    assert [name for name, area, *_ in (line.split(",") for line in areas) if float(area) > 0] == ["Carcinoma"]
    cells = columns_of(published.artifacts["readout_generation:cell_readouts"][0])
    assert "Carcinoma cell" in {cell["CELL_CLASS"] for cell in cells}

    models = {"nuclei": "classical", "tissue": "ours 1.0.0", "cells": "coverslip-cells 1.0.0"}
    for output in VERSION.output_artifacts:
        stage = output.name.partition(":")[0]
        _, metadata = published.artifacts[output.name]
        jsonschema.validate({**metadata, "checksum_base64_crc32c": "AAAAAA=="}, output.metadata_schema)
        assert metadata.get("models") == (models if "class_provenance" in metadata else None)
        if stage == "tissue_segmentation":
            trained = {name for name, word in metadata["class_provenance"].items() if word == "trained"}
            assert trained == {"Carcinoma", "Vessel"}
    readouts = columns_of(published.artifacts["readout_generation:extended_readouts"][0])
    named = {line["readout"]: line for line in readouts if line["readout"].startswith("MODEL_")}
    assert {name: line["value"] for name, line in named.items()} == {
        f"MODEL_{task.upper()}": name for task, name in models.items()
    }
    digest = hashlib.sha256((tmp_path / "ours.onnx").read_bytes()).hexdigest()
    assert named["MODEL_TISSUE"]["definition"] == f"SHA-256 {digest}"


def test_doubts_about_the_resolution_stand_beside_the_readouts(
    slides: Path, skin: tuple[Published, list[tuple[str, float]]], published: Published
) -> None:
    with open_slide(slides / "CMU-1-Small-Region.svs") as slide:
        rgb = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    unstated = published.directory / "unstated.tif"
    tifffile.imwrite(unstated, rgb, tile=(256, 256), photometric="rgb")
    analyse(unstated, published, resolution_mpp=0.125)
    for name in (name for name in published.artifacts if name.startswith("readout_generation:")):
        assert "0.125 µm per pixel is finer" in published.artifacts[name][1]["warnings"][0]
        assert skin[0].artifacts[name][1]["warnings"] == []


def test_what_cannot_be_hae_is_refused(tmp_path: Path, published: Published) -> None:
    slide, phantom = tmp_path / "inverted.tif", tmp_path / "phantom.tif"
    write_phantom(phantom, PhantomOptions(width_px=1024, height_px=1024, seed=5))
    inverted = 255 - tifffile.imread(phantom)
    tifffile.imwrite(
        slide, inverted, tile=(256, 256), photometric="rgb", resolution=(20000, 20000), resolutionunit="CENTIMETER"
    )
    with pytest.raises(UserError, match="cannot be H&E") as raised:
        analyse(slide, published)
    assert raised.value.code == "INPUT.WRONG_STAIN"
    assert published.artifacts == {}


def test_cells_are_what_a_model_for_nuclei_says_they_are(
    tmp_path: Path, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = write_typed_model(tmp_path)
    monkeypatch.setenv("COVERSLIP_MODELS", str(tmp_path))
    monkeypatch.setenv("COVERSLIP_MODEL_NUCLEI", "typed")
    slide = tmp_path / "phantom.tif"
    plain = PhantomOptions(2048, 2048, seed=5, pen_mark=False, blur_patch=False, fold=False, bubble=False)
    write_phantom(slide, plain)
    analyse(slide, published)

    cells = columns_of(published.artifacts["readout_generation:cell_readouts"][0])
    named = Counter(cell["CELL_CLASS"] for cell in cells)
    assert set(named) == {"Plasma cell", "Granulocyte"}
    assert min(named.values()) > 20
    (slide_row,) = columns_of(published.artifacts["readout_generation:slide_readouts"][0])
    assert int(float(slide_row["CELL_COUNT_PLASMA_CELL"])) == named["Plasma cell"]
    table = pq.read_table(published.artifacts["cell_classification:parquet_polygons"][0])
    confidence = table["confidence"].to_numpy()
    assert ((confidence >= 0.5) & (confidence <= 1)).all()

    output = next(one for one in VERSION.output_artifacts if one.name == "cell_classification:parquet_polygons")
    metadata = published.artifacts[output.name][1]
    jsonschema.validate({**metadata, "checksum_base64_crc32c": "AAAAAA=="}, output.metadata_schema)
    trained = {name for name, word in metadata["class_provenance"].items() if word == "trained"}
    assert trained == set(named)
    assert metadata["models"] == {"nuclei": "typed 1.0.0", "tissue": "rules", "cells": "typed 1.0.0"}
    readouts = columns_of(published.artifacts["readout_generation:extended_readouts"][0])
    (told,) = [line for line in readouts if line["readout"] == "MODEL_CELLS"]
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    assert (told["value"], told["definition"]) == ("typed 1.0.0", f"SHA-256 {digest}")


def test_bare_glass_is_refused(tmp_path: Path, published: Published) -> None:
    slide = tmp_path / "glass.tif"
    glass = np.full((1024, 1024, 3), 243, np.uint8)
    tifffile.imwrite(
        slide, glass, tile=(256, 256), photometric="rgb", resolution=(20000, 20000), resolutionunit="CENTIMETER"
    )
    with pytest.raises(UserError, match="No stained tissue") as raised:
        analyse(slide, published)
    assert raised.value.code == "INPUT.NO_TISSUE"
    assert published.artifacts == {}
