"""The Test Application on real slides."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import numpy as np
import pytest
import shapely
import tifffile
from PIL import Image

from coverslip.applications.errors import UserError
from coverslip.applications.manifest import load_manifest
from coverslip.applications.protocol import InputFile, Item
from coverslip.applications.registry import load_process
from coverslip.applications.test_app import MANIFEST
from coverslip.applications.tissue_maps import MOST_CELLS, OVERVIEW_PX, grid_of, map_tissue
from coverslip.pathology.classes import TISSUE, TISSUE_QC
from coverslip.pathology.tissue_qc import ARTIFACT_KINDS
from coverslip.pathology.tissue_qc import LEAST_REGION_UM2 as LEAST_QUALITY_UM2
from coverslip.pathology.tissue_segmentation import LEAST_REGION_UM2 as LEAST_TISSUE_UM2
from coverslip.slides import open_slide
from coverslip.slides.phantom import PhantomOptions, write_phantom

if TYPE_CHECKING:
    from .conftest import Published

VERSION = load_manifest(MANIFEST).versions[0]
STAGES = {"tissue_qc": TISSUE_QC, "tissue_segmentation": TISSUE}
TCGA = "TCGA-CR-7395-01A-01-TS1.crop.svs"


def process(
    path: Path, published: "Published", external_id: str | None = None, **metadata: object
) -> list[tuple[str, float]]:
    progress: list[tuple[str, float]] = []
    item = Item("item-1", external_id or path.name, {"whole_slide_image": InputFile(path, metadata)})
    load_process("test-app", "1.0.0")(item, published, lambda stage, fraction: progress.append((stage, fraction)))
    return progress


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("CMU-1-Small-Region.svs", {"width_px": 2220, "height_px": 2967, "resolution_mpp": 0.499}),
        ("CMU-1-Small-Region.pyramid.tif", {}),
        (TCGA, {"resolution_mpp": 0.5, "width_px": None}),
    ],
)
def test_artifacts_fit_the_manifest_and_each_other(
    slides: Path, published: "Published", name: str, metadata: dict[str, object]
) -> None:
    progress = process(slides / name, published, **metadata)

    fractions = [fraction for _, fraction in progress]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert list(published.artifacts) == [artifact.name for artifact in VERSION.output_artifacts]
    for artifact in VERSION.output_artifacts:
        _, given = published.artifacts[artifact.name]
        jsonschema.Draft202012Validator(artifact.metadata_schema).validate(
            {**given, "checksum_base64_crc32c": "64RKKA=="}
        )
        assert given["media_type"] == artifact.mime_type
    with open_slide(slides / name) as slide:
        frame, mpp = shapely.box(0, 0, slide.info.width_px, slide.info.height_px), slide.info.mpp or 0.5
    for stage, classes in STAGES.items():
        image, given = published.artifacts[f"{stage}:segmentation_map_image"]
        labels = tifffile.imread(image, key=0)
        assert labels.shape == (given["height_px"], given["width_px"])
        collection = json.loads(published.artifacts[f"{stage}:geojson_polygons"][0].read_text())
        rows = list(csv.DictReader(published.artifacts[f"{stage}:csv_class_information"][0].open()))
        assert [row["class"] for row in rows] == list(classes)
        area_um2 = dict.fromkeys(classes, 0.0)
        for feature in collection["features"]:
            properties = feature["properties"]
            polygon = shapely.geometry.shape(feature["geometry"])
            assert polygon.is_valid
            assert frame.covers(polygon)
            assert properties["objectType"] == "annotation"
            name_, color = properties["classification"]["name"], properties["classification"]["color"]
            assert tuple(color) == classes[name_]
            assert properties["measurements"]["area_um2"] == pytest.approx(polygon.area * mpp**2, rel=1e-4)
            area_um2[name_] += polygon.area * mpp**2
        for label, row in enumerate(rows, start=1):
            if row["class"] != "No Tissue":
                assert float(row["area_um2"]) == pytest.approx(area_um2[row["class"]], rel=1e-4, abs=0.01)
                mask_um2 = (labels == label).sum() * (8 * mpp) ** 2
                assert float(row["area_um2"]) == pytest.approx(mask_um2, rel=0.02)
        percent = [float(row["area_percent"]) for row in rows if row["area_percent"] != "N/A"]
        assert sum(percent) == pytest.approx(100, abs=0.01)


def test_keratin_is_an_artifact(slides: Path, published: "Published") -> None:
    """Between level-0 x 1180 to 1790 and y 900 to 1850 horn frays; epidermis and hair follicle beside it stay valid."""
    process(slides / "CMU-1-Small-Region.svs", published)
    features = json.loads(published.artifacts["tissue_qc:geojson_polygons"][0].read_text())["features"]
    named = [(shapely.geometry.shape(each["geometry"]), each["properties"]) for each in features]
    keratin = shapely.union_all([shape for shape, its in named if its.get("name") == "keratin flake"])
    valid = shapely.union_all([shape for shape, its in named if its["classification"]["name"] == "Valid Tissue"])
    for inside in ((1500, 1010), (1450, 1180), (1700, 1370), (1360, 1400), (1560, 1560), (1240, 1700)):
        assert keratin.covers(shapely.Point(inside)), inside
    for outside in ((1130, 1050), (1170, 1300), (1150, 1950), (1500, 1850), (1300, 2070), (1230, 2200), (1650, 2600)):
        assert valid.covers(shapely.Point(outside)), outside
    assert keratin.bounds[0] > 1000
    assert keratin.bounds[3] < 1900


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom with all defects, and holes in its tissue."""
    path = tmp_path_factory.mktemp("slide") / "phantom.tif"
    return write_phantom(path, PhantomOptions(width_px=5000, height_px=4100, seed=23), jobs=1).slide


def test_polygons_of_all_classes_keep_holes_and_stay_apart(phantom: Path, published: "Published") -> None:
    process(phantom, published)
    for stage, classes in STAGES.items():
        features = json.loads(published.artifacts[f"{stage}:geojson_polygons"][0].read_text())["features"]
        rows = list(csv.DictReader(published.artifacts[f"{stage}:csv_class_information"][0].open()))
        labels = tifffile.imread(published.artifacts[f"{stage}:segmentation_map_image"][0], key=0)
        polygons = np.array([shapely.geometry.shape(feature["geometry"]) for feature in features])
        assert shapely.is_valid(polygons).all()
        assert any(len(polygon.interiors) > 0 for polygon in polygons)
        total = shapely.area(polygons).sum()
        assert total - shapely.union_all(polygons).area < 1e-6 * total
        for label, row in enumerate(rows, start=1):
            assert float(row["area_um2"]) == pytest.approx((labels == label).sum() * 16.0, rel=0.02)
        assert [row["class"] for row in rows] == list(classes)


def test_no_region_is_too_small_to_mean_anything(phantom: Path, published: "Published") -> None:
    process(phantom, published)
    for stage, least_um2 in (("tissue_qc", LEAST_QUALITY_UM2), ("tissue_segmentation", LEAST_TISSUE_UM2)):
        features = json.loads(published.artifacts[f"{stage}:geojson_polygons"][0].read_text())["features"]
        # Smoothing rounds corners off.
        assert min(feature["properties"]["measurements"]["area_um2"] for feature in features) > 0.9 * least_um2


def test_artifacts_say_their_kind(phantom: Path, published: "Published") -> None:
    process(phantom, published)
    features = json.loads(published.artifacts["tissue_qc:geojson_polygons"][0].read_text())["features"]
    area_um2 = dict.fromkeys(ARTIFACT_KINDS, 0.0)
    for properties in (feature["properties"] for feature in features):
        if properties["classification"]["name"] == "Tissue Artifact":
            assert properties["name"] == properties["metadata"]["kind"]
            area_um2[properties["name"]] += properties["measurements"]["area_um2"]
        else:
            assert "metadata" not in properties
    assert {kind for kind, area in area_um2.items() if area == 0} == {"keratin flake"}  # phantoms have no skin
    rows = {
        row["class"]: row for row in csv.DictReader(published.artifacts["tissue_qc:csv_class_information"][0].open())
    }
    columns = {kind: f"{kind.replace(' ', '_')}_area_um2" for kind in ARTIFACT_KINDS}
    told = {kind: float(rows["Tissue Artifact"][column]) for kind, column in columns.items()}
    assert told == pytest.approx(area_um2, abs=0.1)
    assert sum(told.values()) == pytest.approx(float(rows["Tissue Artifact"]["area_um2"]), abs=0.1)
    assert {rows["Marker"][column] for column in columns.values()} == {"N/A"}


RUN_ALONE = """
import sys
from pathlib import Path
from coverslip.applications.protocol import InputFile, Item
from coverslip.applications.registry import load_process

class Outputs:
    directory = Path(sys.argv[2])
    def write(self, name, path, metadata):
        print(name, path.name)

item = Item("item-1", "slide", {"whole_slide_image": InputFile(Path(sys.argv[1]), {})})
load_process("test-app", "1.0.0")(item, Outputs(), lambda stage, fraction: None)
"""


def test_processes_of_their_own_give_the_same_bytes(slides: Path, tmp_path: Path, published: "Published") -> None:
    """In a fresh process, whatever the number of its threads."""
    slide = slides / "CMU-1-Small-Region.svs"
    process(slide, published)
    expected = {path.name: path.read_bytes() for path, _ in published.artifacts.values()}
    for threads in ("1", "3"):
        outputs = tmp_path / f"outputs-{threads}"
        outputs.mkdir()
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        subprocess.run([sys.executable, "-c", RUN_ALONE, slide, outputs], env=environment, check=True)
        assert {path.name: path.read_bytes() for path in outputs.iterdir()} == expected


@pytest.mark.parametrize(("side_px", "cell_px"), [(2_000, 8), (39_000, 8), (40_000, 16), (100_000, 32)])
def test_maps_are_bounded_whatever_the_size_of_the_slide(side_px: int, cell_px: int) -> None:
    grid = grid_of(side_px, side_px, 0.5)
    assert grid.cell_px == cell_px
    assert grid.shape == (-(-side_px // cell_px),) * 2
    assert grid.shape[0] * grid.shape[1] <= MOST_CELLS * 1.01


def test_the_same_slide_gives_the_same_bytes(slides: Path, tmp_path: Path) -> None:
    from .conftest import Published

    runs = []
    for number in ("first", "second"):
        (tmp_path / number).mkdir()
        outputs = Published(tmp_path / number)
        process(slides / "CMU-1-Small-Region.svs", outputs)
        runs.append({name: path.read_bytes() for name, (path, _) in outputs.artifacts.items()})
    assert runs[0] == runs[1]


def test_labels_do_not_depend_on_the_tiles(slides: Path) -> None:
    with open_slide(slides / "CMU-1-Small-Region.svs") as slide:
        overview = slide.thumbnail(OVERVIEW_PX)
        whole = map_tissue(slide, 0.499, overview, lambda _: None)
        tiled = map_tissue(slide, 0.499, overview, lambda _: None, tile_px=400)
    np.testing.assert_array_equal(whole.quality.labels, tiled.quality.labels)
    np.testing.assert_array_equal(whole.quality.kinds, tiled.quality.kinds)
    np.testing.assert_array_equal(whole.tissue, tiled.tissue)


@pytest.mark.parametrize(
    ("name", "metadata", "code", "cure"),
    [
        (TCGA, {}, "INPUT.MPP_MISSING", "resolution_mpp"),
        ("CMU-1-small.tiff", {}, "INPUT.MPP_OUT_OF_RANGE", "20x"),
        ("CMU-1-Small-Region.svs", {"resolution_mpp": 0.25}, "INPUT.MPP_MISMATCH", "correct the metadata"),
        ("CMU-1-Small-Region.svs", {"width_px": 2221}, "INPUT.DIMENSIONS_MISMATCH", "width_px 2221"),
        ("CMU-1-Small-Region.svs", {"height_px": 1}, "INPUT.DIMENSIONS_MISMATCH", "has 2967"),
        ("SOURCES.md", {}, "SLIDE.NOT_A_SLIDE", "format is unknown"),
    ],
)
def test_inputs_at_fault_are_refused(
    slides: Path, published: "Published", name: str, metadata: dict[str, object], code: str, cure: str
) -> None:
    local = published.directory / f"slide{Path(name).suffix}"
    local.symlink_to(slides / name)
    with pytest.raises(UserError, match=cure) as caught:
        process(local, published, external_id=f"case 7/{name}", **metadata)
    assert caught.value.code == code
    # Its submitter never saw the file's local name.
    assert f"case 7/{name}" in str(caught.value)
    assert local.name not in str(caught.value)
    assert published.artifacts == {}


def test_damage_found_while_reading_blames_the_input(slides: Path, published: "Published") -> None:
    data = bytearray((slides / "CMU-1-Small-Region.svs").read_bytes())
    with tifffile.TiffFile(slides / "CMU-1-Small-Region.svs") as file:
        page = file.pages[0].aspage()
        offset, length = page.dataoffsets[40], page.databytecounts[40]
    data[offset : offset + length] = bytes(length)
    path = published.directory / "damaged.svs"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        process(path, published, external_id="case 7/slide 2")
    assert caught.value.code == "SLIDE.UNREADABLE"
    assert "case 7/slide 2" in str(caught.value)
    assert path.name not in str(caught.value)


def test_broken_colours_are_refused(slides: Path, published: "Published") -> None:
    """Luma and chroma of a real slide, stored as if they were red, green and blue."""
    with open_slide(slides / "CMU-1-Small-Region.svs") as slide:
        rgb = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    path = published.directory / "chroma.tif"
    tifffile.imwrite(
        path,
        np.asarray(Image.fromarray(rgb).convert("YCbCr")),
        tile=(256, 256),
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )
    with pytest.raises(UserError, match="photometric interpretation") as caught:
        process(path, published, external_id="case 7/slide 3")
    assert caught.value.code == "INPUT.COLOURS_BROKEN"
    assert "case 7/slide 3" in str(caught.value)
    assert published.artifacts == {}


def test_bare_glass_is_refused(published: "Published") -> None:
    path = published.directory / "glass.tif"
    tifffile.imwrite(
        path,
        np.full((1500, 1500, 3), 243, np.uint8),
        tile=(256, 256),
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )
    with pytest.raises(UserError, match="No stained tissue") as caught:
        process(path, published)
    assert caught.value.code == "INPUT.NO_TISSUE"
