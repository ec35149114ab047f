"""The last published client of API v1.0.0, unmodified, against `/legacy`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.interop.conftest import Connect
from tests.interop.published_client import PROGRAMS, PublishedClient

from coverslip.slides.crc32c import crc32c_file
from harness.service import TestService

LEGACY_PROGRAMS = PROGRAMS.parents[1] / "interop-legacy" / "bin"
SLIDE = Path(__file__).parents[3] / "shared" / "slides" / "CMU-1-Small-Region.svs"

SUBMIT = """
import sys
from aignostics import platform
from aignostics.platform import InputArtifact, InputItem

url, checksum = sys.argv[1:]
client = platform.Client()
version = client.applications.versions.latest("test-app")
slide = InputArtifact(
    name=version.input_artifacts[0].name,
    download_url=url,
    metadata={
        "checksum_base64_crc32c": checksum, "resolution_mpp": 0.499, "width_px": 2220, "height_px": 2967,
        "media_type": "image/tiff", "staining_method": "H&E", "specimen": {"disease": "LUNG_CANCER", "tissue": "LUNG"},
    },
)
run = client.runs.create(version.application_version_id, [InputItem(reference="a slide", input_artifacts=[slide])])
print(run.application_run_id)
"""

# At once, before the slide can be finished.
SUBMIT_AND_CANCEL = (
    SUBMIT
    + """
run.cancel()
print(run.details().status.value, [item.status.value for item in run.results()])
run.delete()
"""
)


@pytest.fixture(scope="module")
def legacy(connect: Connect, live_platform: TestService) -> PublishedClient:
    """The old client of one person, logged in by refresh token."""
    if not (LEGACY_PROGRAMS / "aignostics").exists():
        pytest.fail(f"The old client is not installed in {LEGACY_PROGRAMS.parent}: run `make interop`.", pytrace=False)
    client = connect()
    settings = client.settings | {"AIGNOSTICS_API_ROOT": f"{live_platform.url}/legacy"}
    return replace(client, settings=settings, programs=LEGACY_PROGRAMS)


@pytest.fixture(scope="module")
def slide_url(legacy: PublishedClient) -> str:
    return legacy.person.upload("a slide.svs", SLIDE.read_bytes())


def submit(client: PublishedClient, source: str, url: str) -> list[str]:
    """The lines that the old library printed; the first is the run's id."""
    ended = client.script(source, url, crc32c_file(SLIDE))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_it_lists_applications(legacy: PublishedClient) -> None:
    ended = legacy.run("application", "list", "--verbose")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "test-app" in ended.stdout
    assert "1 input(s), 6 output(s)" in ended.stdout


def test_it_submits_lists_and_downloads(legacy: PublishedClient, slide_url: str, tmp_path: Path) -> None:
    (run_id,) = submit(legacy, SUBMIT, slide_url)
    listed = legacy.run("application", "run", "list")
    assert run_id in listed.stdout, listed.stdout + listed.stderr
    downloaded = legacy.run("application", "run", "result", "download", run_id, str(tmp_path))
    assert downloaded.returncode == 0, downloaded.stdout + downloaded.stderr
    described = legacy.run("application", "run", "describe", run_id)
    assert "COMPLETED" in described.stdout, described.stdout + described.stderr
    files = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) == 6, files
    assert "tissue_qc_geojson_polygons.json" in files
    # The same run, as the present API shows it.
    shown: Any = legacy.person.run(run_id)
    assert shown["statistics"]["item_succeeded_count"] == 1
    (report,) = tmp_path.rglob("tissue_qc_geojson_polygons.json")
    assert json.loads(report.read_text())["type"] == "FeatureCollection"


def test_it_cancels_and_deletes(legacy: PublishedClient, slide_url: str) -> None:
    run_id, seen = submit(legacy, SUBMIT_AND_CANCEL, slide_url)
    assert seen == "CANCELED_USER ['CANCELED_USER']"
    shown: Any = legacy.person.run(run_id)
    assert shown["termination_reason"] == "CANCELED_BY_USER"
