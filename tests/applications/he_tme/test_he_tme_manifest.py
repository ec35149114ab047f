"""What he-tme 1.3.0 takes and gives, as the published contract names it."""

from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from coverslip.applications.manifest import Version, load_manifest
from coverslip.pathology.classes import CELL, TISSUE

FILES = {
    "tissue_qc": ["segmentation_map_image", "geojson_polygons", "csv_class_information", "parquet_polygons"],
    "tissue_segmentation": ["segmentation_map_image", "geojson_polygons", "csv_class_information", "parquet_polygons"],
    "cell_classification": ["geojson_polygons", "parquet_polygons"],
    "readout_generation": ["slide_readouts", "cell_readouts", "extended_readouts"],
}
MEDIA_TYPES = {
    "segmentation_map_image": "image/tiff",
    "geojson_polygons": "application/geo+json",
    "csv_class_information": "text/csv",
    "parquet_polygons": "application/vnd.apache.parquet",
    "slide_readouts": "text/csv",
    "cell_readouts": "text/csv",
    "extended_readouts": "text/csv",
}
DISEASES = {
    "BREAST_CANCER": "BREAST",
    "LUNG_CANCER": "LUNG",
    "COLORECTAL_CANCER": "COLON",
    "BLADDER_CANCER": "BLADDER",
    "LIVER_CANCER": "LIVER",
    "PROSTATE_CANCER": "PROSTATE",
    "PANCREATIC_CANCER": "PANCREAS",
    "STOMACH_CANCER": "STOMACH",
    "OVARIAN_CANCER": "OTHER",  # the contract's tissues know no ovary
    "OTHER": "OTHER",
}
TISSUES = {
    *("ADRENAL_GLAND", "BLADDER", "BONE", "BRAIN", "BREAST", "COLON", "LIVER"),
    *("LUNG", "LYMPH_NODE", "OTHER", "PANCREAS", "PROSTATE", "SPLEEN", "STOMACH"),
}
SLIDE = {
    "checksum_base64_crc32c": "64RKKA==",
    "staining_method": "H&E",
    "specimen": {"disease": "LUNG_CANCER", "tissue": "LUNG"},
}
CHECKSUM = {"checksum_base64_crc32c": "64RKKA=="}


@pytest.fixture(scope="module")
def version() -> Version:
    manifest = load_manifest(files("coverslip.applications.he_tme") / "manifest.json")
    assert (manifest.application_id, manifest.name, manifest.regulatory_classes) == ("he-tme", "H&E TME", ("RUO",))
    found = manifest.version("1.3.0")
    assert found is not None
    return found


def fits(schema: dict[str, Any], metadata: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(metadata))


def schema_of(version: Version, name: str) -> dict[str, Any]:
    return next(artifact.metadata_schema for artifact in version.output_artifacts if artifact.name == name)


def test_names_and_media_types_are_the_contracts(version: Version) -> None:
    (slide,) = version.input_artifacts
    assert (slide.name, slide.mime_type) == ("whole_slide_image", "image/tiff")
    assert [(artifact.name, artifact.mime_type) for artifact in version.output_artifacts] == [
        (f"{stage}:{kind}", MEDIA_TYPES[kind]) for stage, kinds in FILES.items() for kind in kinds
    ]


@pytest.mark.parametrize("disease", DISEASES)
def test_every_disease_takes_its_organ_lymph_nodes_and_other(version: Version, disease: str) -> None:
    schema = version.input_artifacts[0].metadata_schema
    assert fits(schema, SLIDE | {"specimen": {"disease": disease}})
    for tissue in (DISEASES[disease], "LYMPH_NODE", "OTHER"):
        assert fits(schema, SLIDE | {"specimen": {"disease": disease, "tissue": tissue}})


def test_tissues_are_those_of_the_contract_and_other_is_the_default(version: Version) -> None:
    specimens = version.input_artifacts[0].metadata_schema["properties"]["specimen"]["anyOf"]
    tissues = {specimen["properties"]["disease"]["const"]: specimen["properties"]["tissue"] for specimen in specimens}
    assert set(tissues) == set(DISEASES)
    assert set(tissues["OTHER"]["enum"]) == TISSUES
    for tissue in tissues.values():
        assert set(tissue["enum"]) <= TISSUES
        assert tissue["default"] == tissue["enum"][-1] == "OTHER"
    lung = ["LUNG", "LYMPH_NODE", "LIVER", "ADRENAL_GLAND", "BONE", "BRAIN", "OTHER"]
    assert tissues["LUNG_CANCER"]["enum"] == lung


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"width_px": None, "height_px": None, "media_type": None, "resolution_mpp": None}, True),
        ({"width_px": 200_000, "height_px": 1, "media_type": "application/zip", "resolution_mpp": 0.08}, True),
        ({"resolution_mpp": 0.55}, True),
        ({"resolution_mpp": 0.56}, False),
        ({"resolution_mpp": 0.079}, False),
        ({"width_px": 0}, False),
        ({"height_px": 1.5}, False),
        ({"media_type": "image/png"}, False),
        ({"checksum_base64_crc32c": None}, False),
        ({"staining_method": "IHC"}, False),
        ({"staining_method": None}, False),
        ({"specimen": None}, False),
        ({"specimen": {"tissue": "LUNG"}}, False),
        ({"specimen": {"disease": "SKIN_CANCER"}}, False),
        ({"specimen": {"disease": "LUNG_CANCER", "tissue": "BREAST"}}, False),
        ({"specimen": {"disease": "LUNG_CANCER", "organ": "LUNG"}}, False),
        ({"stain": "H&E"}, False),
    ],
)
def test_input_metadata(version: Version, change: dict[str, Any], valid: bool) -> None:
    assert fits(version.input_artifacts[0].metadata_schema, SLIDE | change) is valid


@pytest.mark.parametrize("missing", SLIDE)
def test_input_metadata_needs_checksum_staining_and_specimen(version: Version, missing: str) -> None:
    metadata = {name: value for name, value in SLIDE.items() if name != missing}
    assert not fits(version.input_artifacts[0].metadata_schema, metadata)


def test_no_output_takes_an_unknown_property_or_lacks_its_checksum(version: Version) -> None:
    needed = CHECKSUM | {"polygon_mpp": 0.25, "width_px": 3, "height_px": 2, "class_colors": {}}
    for artifact in version.output_artifacts:
        schema = artifact.metadata_schema
        metadata = {name: needed[name] for name in schema["required"]} | {"media_type": artifact.mime_type}
        assert fits(schema, metadata), artifact.name
        assert not fits(schema, metadata | {"surprise": 1})
        assert not fits(schema, metadata | {"media_type": "text/plain"})
        assert not fits(schema, {name: value for name, value in metadata.items() if name not in CHECKSUM})


def test_metadata_of_maps_and_polygons(version: Version) -> None:
    image = schema_of(version, "tissue_segmentation:segmentation_map_image")
    metadata = CHECKSUM | {"width_px": 3, "height_px": 2, "class_colors": {n: list(c) for n, c in TISSUE.items()}}
    assert fits(image, metadata)
    assert not fits(image, metadata | {"class_colors": {"Stroma": [0, 0, 256]}})
    assert not fits(image, metadata | {"resolution_mpp": 4.0})
    for name in ("tissue_qc:parquet_polygons", "cell_classification:geojson_polygons"):
        assert fits(schema_of(version, name), CHECKSUM | {"polygon_mpp": 0.25})
        assert not fits(schema_of(version, name), CHECKSUM | {"polygon_mpp": 0})
        assert not fits(schema_of(version, name), CHECKSUM)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("cell_classification:geojson_polygons", CELL),
        ("cell_classification:parquet_polygons", CELL),
        ("tissue_segmentation:parquet_polygons", TISSUE),
    ],
)
def test_class_provenance_is_one_of_three_words(version: Version, name: str, classes: dict[str, object]) -> None:
    schema, metadata = schema_of(version, name), CHECKSUM | {"polygon_mpp": 0.25}
    for word in ("trained", "rule", "unvalidated"):
        assert fits(schema, metadata | {"class_provenance": dict.fromkeys(classes, word)})
    assert not fits(schema, metadata | {"class_provenance": dict.fromkeys(classes, "guessed")})
