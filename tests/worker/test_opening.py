"""The engine that the settings ask for."""

import importlib.util
from pathlib import Path

import pytest

from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.opening import open_engine
from coverslip.worker.errors import RayExtraMissing
from coverslip.worker.settings import EngineName, WorkerSettings


def test_without_ray_its_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    settings = WorkerSettings(api_root="x", worker_token_file=tmp_path, scratch=tmp_path, engine=EngineName.RAY)
    with pytest.raises(RayExtraMissing, match=r"pip install 'coverslip\[ray\]'"):
        open_engine(settings, WorkerApi("http://127.0.0.1:9", "token"))
