"""A broken application package on the service's machine."""

from pathlib import Path
from typing import Any

import pytest

from harness.people import Person


@pytest.fixture
def broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('no licence')")
    about = tmp_path / "broken_one-0.3.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-one\nVersion: 0.3.0\n")
    (about / "entry_points.txt").write_text("[coverslip.applications]\nbroken-one = broken_one\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "broken-one 0.3.0"


def test_the_service_starts_without_it_and_says_so(postgres: Any, tmp_path: Path, broken_package: str) -> None:
    from harness.service import TestService

    with TestService(postgres, tmp_path / "store") as service:
        service.clear()
        health = service.http.get("/health")
        assert health.status_code == 200
        assert health.json()["status"] == "DEGRADED"
        assert broken_package in health.json()["reason"]
        person: Person = service.member()
        listed = person.get("/api/v1/applications").json()
        assert "test-app" in [application["application_id"] for application in listed]
