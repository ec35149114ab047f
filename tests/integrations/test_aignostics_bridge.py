"""The bridge never stands in the published client's way. `make interop` tries it with the real one."""

import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = """
class Settings:
    api_root = "http://platform.example/"
def settings():
    return Settings
"""
BUCKET = """
class Service:
    def _get_s3_client(self, endpoint_url="https://published.example"):
        return endpoint_url
"""
SYSTEM = """
class Service:
    @staticmethod
    async def _determine_network_health():
        return "asked the internet"
"""
UTILS = """
class Health:
    class Code:
        UP = "up"
    def __init__(self, status):
        self.status = status
"""
USE = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import coverslip.integrations.aignostics
from aignostics import bucket, platform, system
service = bucket.Service()
print(service._get_s3_client(), service._get_s3_client("given"), service._get_s3_client(endpoint_url="named"))
health = asyncio.run(system.Service._determine_network_health())
print(getattr(health, "status", health))
platform.Settings.api_root = "https://vendor.example"
print(service._get_s3_client(), asyncio.run(system.Service._determine_network_health()))
"""


def client(folder: Path, version: str, **changes: str) -> Path:
    """A folder with a package that has the parts of the published client that the bridge touches."""
    parts = {
        "__init__": "",
        "platform/__init__": CLIENT,
        "platform/_constants": 'API_ROOT_PRODUCTION = "https://vendor.example"',
        "bucket": BUCKET,
        "system": SYSTEM,
        "utils": UTILS,
    }
    for name, source in (parts | changes).items():
        path = folder / "aignostics" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    about = folder / f"aignostics-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: aignostics\nVersion: {version}\n")
    return folder


def use(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", USE, folder], capture_output=True, text=True, check=False)


def test_it_leads_to_the_platform_and_not_from_the_vendors(tmp_path: Path) -> None:
    ended = use(client(tmp_path, "1.6.0"))
    assert ended.stdout.splitlines() == [
        "http://platform.example/s3 given named",
        "up",
        "https://published.example asked the internet",
    ]
    assert ended.stderr == ""


UNTOUCHED = [
    "https://published.example given named",
    "asked the internet",
    "https://published.example asked the internet",
]


def test_a_version_that_is_not_known_is_left_alone(tmp_path: Path) -> None:
    ended = use(client(tmp_path, "1.7.0"))
    assert ended.stdout.splitlines() == UNTOUCHED
    assert "knows aignostics 1.6.0, and 1.7.0 is installed" in ended.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"platform/_constants": ""},
        {"platform/_constants": "1 / 0"},
        {"utils": ""},
        {"utils": "raise RuntimeError"},
    ],
)
def test_a_client_that_is_not_as_expected_is_left_alone(tmp_path: Path, changes: dict[str, str]) -> None:
    ended = use(client(tmp_path, "1.6.0", **changes))
    assert ended.stdout.splitlines() == UNTOUCHED
    assert "is not as expected" in ended.stderr


def test_without_the_client_nothing_happens() -> None:
    modules = (
        "import sys, coverslip.integrations.aignostics as imported; "
        "print(*sorted(name for name in sys.modules if name.startswith('coverslip')))"
    )
    ended = subprocess.run([sys.executable, "-c", modules], capture_output=True, text=True, check=True)
    light = ["coverslip", "coverslip.integrations", "coverslip.integrations.aignostics"]
    assert ended.stdout.split() == [*light, "coverslip.integrations.aignostics.bridge"]
    assert ended.stderr == ""
