"""H&E TME on real slides and on phantoms."""

import csv
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
from coverslip.slides.phantom import PhantomOptions, write_phantom

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
