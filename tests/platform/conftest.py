"""A platform over real sockets, and clients of it."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coverslip.platform import Client


def _fake_platform() -> Any:
    """The module beside this file, under one name for all test folders."""
    name = "coverslip_fake_platform"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "platform" / "fake_platform.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A fake platform; the settings name it, and a home of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))
    for running in _fake_platform().serve():
        monkeypatch.setenv("COVERSLIP_API_ROOT", running.url)
        yield running


@pytest.fixture
def client(platform: Any) -> Iterator[Client]:
    with Client(token_provider=lambda: "good") as client:
        yield client
