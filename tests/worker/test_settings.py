"""Settings of a worker, and what it says when they are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coverslip.worker.errors import WorkerSettingsInvalid
from coverslip.worker.settings import EngineName, load_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("COVERSLIP_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" word \n")
    monkeypatch.setenv("COVERSLIP_API_ROOT", "https://platform.example/")
    monkeypatch.setenv("COVERSLIP_WORKER_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("COVERSLIP_SCRATCH", str(tmp_path))
    monkeypatch.setenv("COVERSLIP_FETCH_ALLOW", "pacs.example, 10.0.0.0/8,")
    settings = load_settings()
    assert settings.api_root == "https://platform.example"
    assert settings.fetch_allow == ("pacs.example", "10.0.0.0/8")
    assert settings.worker_token() == "word"


def test_each_missing_setting_is_named() -> None:
    with pytest.raises(WorkerSettingsInvalid, match=r"COVERSLIP_API_ROOT.*COVERSLIP_WORKER_TOKEN_FILE"):
        load_settings()


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COVERSLIP_ENGINE", "local")
    given = {"api_root": "x", "worker_token_file": tmp_path, "scratch": tmp_path, "engine": "ray"}
    assert load_settings(**given).engine is EngineName.RAY
    for address in ("ray://head:10001", "head", "", "a b:1"):
        with pytest.raises(WorkerSettingsInvalid, match="COVERSLIP_RAY_ADDRESS"):
            load_settings(**given, ray_address=address)


@pytest.mark.process
def test_a_worker_whose_cluster_is_away_says_so(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray has no release for this platform")
    (tmp_path / "token").write_text("word")
    environment = {"PATH": os.environ["PATH"], "COVERSLIP_API_ROOT": "http://127.0.0.1:9"}
    environment |= {"COVERSLIP_WORKER_TOKEN_FILE": "token", "COVERSLIP_SCRATCH": "scratch"}
    program = "from coverslip.cli.main import main; main()"
    command = [sys.executable, "-c", program, "worker", "--engine", "ray", "--ray-address", "127.0.0.1:9"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "The Ray cluster at 127.0.0.1:9 cannot be joined" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.process
@pytest.mark.parametrize("scratch", [None, "scratch"])
def test_a_worker_that_cannot_start_says_why(tmp_path: Path, scratch: str | None) -> None:
    environment = {"PATH": os.environ["PATH"], "COVERSLIP_API_ROOT": "http://127.0.0.1:9"}
    environment["COVERSLIP_WORKER_TOKEN_FILE"] = str(tmp_path / "none")
    if scratch:
        environment["COVERSLIP_SCRATCH"] = str(tmp_path / scratch)
    command = [sys.executable, "-m", "coverslip.worker"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 78
    assert ("COVERSLIP_WORKER_TOKEN_FILE" if scratch else "COVERSLIP_SCRATCH") in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.process
def test_a_worker_whose_model_is_missing_says_so(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "COVERSLIP_API_ROOT": "http://127.0.0.1:9"}
    environment |= {"COVERSLIP_WORKER_TOKEN_FILE": "token", "COVERSLIP_SCRATCH": "scratch"}
    environment |= {"COVERSLIP_MODELS": str(tmp_path), "COVERSLIP_MODEL_TISSUE": "our-colon"}
    command = [sys.executable, "-m", "coverslip.worker"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 78
    assert "There is no model our-colon for tissue here" in ended.stderr
    assert "Traceback" not in ended.stderr


WINDOWS = """
import asyncio, os, select, signal, sys
import httpx, psutil, pydantic_settings, tempfile, subprocess, shutil, fcntl, resource
import google_crc32c, jsonschema, http.cookiejar
sys.platform = "win32"
asyncio.ProactorEventLoop = asyncio.SelectorEventLoop
sys.modules["fcntl"] = sys.modules["resource"] = None
for name in ("fork", "killpg", "getpgid"):
    delattr(os, name)
for name in ("SIGKILL", "SIGCHLD", "SIGHUP"):
    delattr(signal, name)
del select.poll
import coverslip.worker.__main__
import coverslip.worker.engines.keeper
import coverslip.worker.engines.child
"""


def test_everything_can_be_imported_on_windows() -> None:
    subprocess.run([sys.executable, "-c", WINDOWS], check=True, timeout=60)
