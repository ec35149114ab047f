"""Items on the worker's own machine."""

import subprocess
import sys

import pytest

from worker.engine_conformance import EngineConformance


@pytest.mark.process
class TestLocalEngine(EngineConformance):
    """`LocalEngine` is an engine."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine_settings(cls) -> dict[str, str]:
        return {}


def test_it_needs_no_ray() -> None:
    script = "import sys, coverslip.worker.__main__; sys.exit('ray' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
