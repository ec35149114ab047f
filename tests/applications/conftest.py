from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


class Published:
    """Outputs that remember what was published, in order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.artifacts: dict[str, tuple[Path, Mapping[str, Any]]] = {}

    def write(self, name: str, path: Path, metadata: Mapping[str, Any]) -> None:
        assert path.parent == self.directory
        assert path.stat().st_size > 0
        assert name not in self.artifacts
        self.artifacts[name] = (path, metadata)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(tmp_path)


@pytest.fixture(scope="session")
def slides() -> Path:
    return Path(__file__).parents[3] / "shared" / "slides"
