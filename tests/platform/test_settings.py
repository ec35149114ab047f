"""Where the address of the platform comes from."""

import json
from pathlib import Path

import pytest

from coverslip.platform.errors import BadConfiguration
from coverslip.platform.settings import DEFAULT_API_ROOT, Settings, load_settings, resolve_api_root


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COVERSLIP_API_ROOT", raising=False)


def announce(text: str) -> None:
    path = Settings().address_file
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_the_default_is_this_machine() -> None:
    assert resolve_api_root(load_settings()) == DEFAULT_API_ROOT


def test_a_platform_running_here_is_found() -> None:
    announce(json.dumps({"url": "http://127.0.0.1:8123", "pid": 1, "started_at": "2026-01-01T00:00:00Z"}))
    assert resolve_api_root(load_settings()) == "http://127.0.0.1:8123"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 5}', "\0"])
def test_a_damaged_announcement_is_passed_over(text: str) -> None:
    announce(text)
    assert resolve_api_root(load_settings()) == DEFAULT_API_ROOT


def test_the_setting_wins_over_the_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    announce('{"url": "http://127.0.0.1:8123"}')
    monkeypatch.setenv("COVERSLIP_API_ROOT", "https://lab.example/")
    assert resolve_api_root(load_settings()) == "https://lab.example"
    assert resolve_api_root(load_settings(), "http://localhost:1") == "http://localhost:1"


def test_the_file_dot_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COVERSLIP_API_ROOT=https://lab.example\nCOVERSLIP_DATABASE_URL=x\n")
    assert resolve_api_root(load_settings()) == "https://lab.example"


@pytest.mark.parametrize("root", ["lab.example", "ftp://lab.example", "http://", "http://x?y=1"])
def test_an_address_that_is_none_is_refused(root: str) -> None:
    with pytest.raises(BadConfiguration, match="COVERSLIP_API_ROOT"):
        resolve_api_root(load_settings(), root)


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_READ_TIMEOUT_S", "soon")
    with pytest.raises(BadConfiguration, match="COVERSLIP_READ_TIMEOUT_S"):
        load_settings()
