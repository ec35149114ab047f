"""The published client with our bridge beside it: its bucket is the platform's, and it needs no internet."""

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.interop.published_client import Ended, PublishedClient

from coverslip import __version__
from harness.worker import crc32c

REPOSITORY = Path(__file__).parents[2]
SLIDE = REPOSITORY.parent / "shared" / "slides" / "CMU-1-small.tiff"
NO_INTERNET = {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
"""A way to the internet that ends at once; what is on this machine is reached directly."""

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as an installation of our package makes it, to stand beside the client's own packages."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "coverslip").symlink_to(REPOSITORY / "src" / "coverslip")
    about = folder / f"coverslip-{__version__}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: coverslip\nVersion: {__version__}\n")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["aignostics.plugins"].items()]
    (about / "entry_points.txt").write_text("\n".join(["[aignostics.plugins]", *lines, ""]))
    return folder


@pytest.fixture
def run(published: PublishedClient, beside: Path) -> Run:
    """Runs `aignostics` with the bridge, and without internet."""
    return lambda *arguments: published.run(*arguments, extra={"PYTHONPATH": str(beside)} | NO_INTERNET)


@pytest.fixture
def slides(published: PublishedClient) -> Path:
    if not SLIDE.is_file():
        pytest.skip("the slides are not beside this repository")
    folder = published.folder / "slides"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(SLIDE, folder / "small slide ü.tiff")
    return folder


def found(run: Run, *arguments: str) -> list[str]:
    ended = run("bucket", "find", *arguments)
    assert ended.returncode == 0, ended.stderr
    keys: list[str] = json.loads(ended.stdout)
    return keys


def test_the_bucket_commands(published: PublishedClient, run: Run, slides: Path) -> None:
    uploaded = run("bucket", "upload", str(slides), "--destination-prefix", "bridge/{username}")
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    (key,) = found(run, "bridge/.*")
    assert key.endswith("/small slide ü.tiff")
    assert found(run, key, "--what-is-key") == [key]
    ended = run("bucket", "download", "bridge/.*", "--destination", "fetched")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (published.folder / "fetched" / "small slide ü.tiff").read_bytes() == SLIDE.read_bytes()
    listed = published.person.get("/api/coverslip/v1/objects").json()
    assert crc32c(SLIDE.read_bytes()) in {one["checksum_base64_crc32c"] for one in listed}
    deleted = run("bucket", "delete", "bridge/.*", "--no-dry-run")
    assert "Deleted 1 object" in deleted.stdout
    assert found(run, "bridge/.*") == []


def test_a_run_is_uploaded_and_submitted(published: PublishedClient, run: Run, slides: Path) -> None:
    table = published.folder / "bridge.csv"
    table.unlink(missing_ok=True)
    for command in (
        ("prepare", "test-app", str(table), str(slides)),
        ("upload", "test-app", str(table)),
    ):
        ended = run("application", "run", *command)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = table.read_text().splitlines()
    assert "gs://coverslip-" in lines[1]
    # The slide is coarser than the application takes; here it is the way of its bytes that counts.
    mpp = lines[1].split(";")[2]
    table.write_text("\n".join([lines[0], lines[1].replace(mpp, "0.5", 1)]) + "\n")
    submitted = run("application", "run", "submit", "test-app", str(table))
    assert "Submitted run with id" in submitted.stdout, submitted.stdout + submitted.stderr


def test_health_does_not_depend_on_the_internet(published: PublishedClient, run: Run) -> None:
    assert published.run("system", "health", extra=NO_INTERNET).returncode == 1
    healthy = run("system", "health")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    assert json.loads(healthy.stdout)["components"]["network"]["status"] == "UP"


VENDORS_ROOT = "https://platform.aignostics.com"
ENDPOINTS = f"""
import coverslip.integrations.aignostics
from types import SimpleNamespace
from aignostics.bucket import Service
from aignostics.platform import settings

key = dict.fromkeys(("aignostics_bucket_hmac_access_key_id", "aignostics_bucket_hmac_secret_access_key"), "key")
service = Service()
service._platform_service = SimpleNamespace(
    get_user_info=lambda: SimpleNamespace(organization=SimpleNamespace(**key))
)
for root in (settings().api_root, "{VENDORS_ROOT}"):
    settings().api_root = root
    print(service._get_s3_client().meta.endpoint_url)
"""


def test_the_vendors_platform_is_left_alone(published: PublishedClient, beside: Path) -> None:
    ended = replace(published, settings=published.settings | {"PYTHONPATH": str(beside)}).script(ENDPOINTS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [
        f"{published.settings['AIGNOSTICS_API_ROOT']}/s3",
        "https://storage.googleapis.com",
    ]
