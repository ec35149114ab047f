"""What the published client shows of applications."""

import json
from pathlib import Path

from tests.interop.published_client import PublishedClient, json_of

OUTPUTS = {
    "tissue_qc_csv_class_information",
    "tissue_qc_geojson_polygons",
    "tissue_qc_segmentation_map_image",
    "tissue_segmentation_csv_class_information",
    "tissue_segmentation_geojson_polygons",
    "tissue_segmentation_segmentation_map_image",
}


def test_applications_are_listed(client: PublishedClient) -> None:
    listed = {one["application_id"]: one for one in json_of(client.run("application", "list", "--format", "json"))}
    assert listed["test-app"]["name"] == "Test Application"
    assert listed["test-app"]["latest_version"]["number"] == "1.0.0"
    assert listed["test-app"]["regulatory_classes"] == ["RUO"]
    assert "Artifacts: 1 input(s), 6 output(s)" in client.run("application", "list", "--verbose").stdout


def test_an_application_is_described_with_its_versions(client: PublishedClient) -> None:
    described = client.run("application", "describe", "test-app", "--verbose")
    assert described.returncode == 0, described.stderr
    assert "Name: Test Application" in described.stdout
    assert "1.0.0" in described.stdout
    for artifact in ("whole_slide_image", "tissue_qc:geojson_polygons"):
        assert artifact in described.stdout


def test_an_application_that_is_not_there(client: PublishedClient) -> None:
    described = client.run("application", "describe", "nope")
    assert described.returncode == 2
    assert "Application with ID 'nope' not found" in described.stdout


def test_the_schemas_of_its_artifacts_are_written(client: PublishedClient, tmp_path: Path) -> None:
    dumped = client.run("application", "dump-schemata", "test-app", "--destination", str(tmp_path))
    assert dumped.returncode == 0, dumped.stderr
    prefix = "test-app_1.0.0_"
    schemas = {path.stem.removeprefix(prefix): json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert schemas.keys() == {"input_whole_slide_image", *(f"output_{name}" for name in OUTPUTS)}
    assert "checksum_base64_crc32c" in schemas["input_whole_slide_image"]["required"]
    assert (tmp_path / f"{prefix}schemata.md").is_file()
