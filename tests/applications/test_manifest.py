import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from coverslip.applications.errors import ApplicationUnknown, ManifestInvalid
from coverslip.applications.manifest import Manifest, load_manifest
from coverslip.applications.registry import load_process, manifests
from coverslip.applications.test_app import MANIFEST


@pytest.fixture(scope="module")
def app() -> Manifest:
    return load_manifest(MANIFEST)


def test_test_app_is_what_the_contract_names(app: Manifest) -> None:
    version = app.version("1.0.0")
    assert version is not None
    assert app.version("2.0.0") is None
    assert (app.application_id, app.name, app.regulatory_classes) == (
        "test-app",
        "Test Application",
        ("RUO",),
    )
    assert [(artifact.name, artifact.mime_type) for artifact in version.input_artifacts] == [
        ("whole_slide_image", "image/tiff")
    ]
    files = {
        "segmentation_map_image": "image/tiff",
        "geojson_polygons": "application/geo+json",
        "csv_class_information": "text/csv",
    }
    assert [(artifact.name, artifact.mime_type) for artifact in version.output_artifacts] == [
        (f"{stage}:{name}", mime_type)
        for stage in ("tissue_qc", "tissue_segmentation")
        for name, mime_type in files.items()
    ]


VALID = {
    "checksum_base64_crc32c": "64RKKA==",
    "height_px": 2967,
    "width_px": 2220,
    "media_type": "application/octet-stream",
    "resolution_mpp": 0.499,
}


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"width_px": None, "height_px": None, "media_type": None, "resolution_mpp": None}, True),
        ({"resolution_mpp": 0.08}, True),
        ({"resolution_mpp": 0.56}, False),
        ({"width_px": 0}, False),
        ({"media_type": "image/png"}, False),
        ({"staining_method": "H&E"}, False),
        ({"checksum_base64_crc32c": None}, False),
    ],
)
def test_input_metadata(app: Manifest, change: dict[str, Any], fits: bool) -> None:
    schema = app.versions[0].input_artifacts[0].metadata_schema
    assert jsonschema.Draft202012Validator(schema).is_valid(VALID | change) is fits
    assert jsonschema.Draft202012Validator(schema).is_valid({"checksum_base64_crc32c": "64RKKA=="})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("number", "1.0"),
        ("released_at", "2026-11-22T00:00:00"),
        ("output_artifacts", []),
        ("surprise", 1),
        ("input_artifacts", [{"name": "a", "mime_type": "image/tiff", "metadata_schema": {"type": "thing"}}]),
    ],
)
def test_invalid_manifests_are_refused(tmp_path: Path, place: str, value: object) -> None:
    manifest = json.loads(MANIFEST.read_text())
    manifest["versions"][0][place] = value
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ManifestInvalid):
        load_manifest(path)


def test_repeated_artifact_names_are_refused(tmp_path: Path) -> None:
    manifest = json.loads(MANIFEST.read_text())
    manifest["versions"][0]["output_artifacts"] *= 2
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ManifestInvalid, match="repeat"):
        load_manifest(path)


def test_registry_finds_the_test_app_and_only_that_version() -> None:
    assert "test-app" in [manifest.application_id for manifest in manifests()]
    assert callable(load_process("test-app", "1.0.0"))
    with pytest.raises(ApplicationUnknown, match=r"test-app 1\.0\.0"):
        load_process("test-app", "2.0.0")


def test_manifests_load_no_image_analysis() -> None:
    code = (
        "import sys; from coverslip.applications.registry import manifests; manifests();"
        "heavy = ('numpy', 'cv2', 'shapely', 'openslide', 'coverslip.pathology');"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
