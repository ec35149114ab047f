"""Applications in processes of their own on this machine."""

from pathlib import Path

import pytest

from coverslip.worker.engines.local import Limits, LocalProcess
from coverslip.worker.engines.messages import Job
from worker.engine_conformance import EngineConformance

pytestmark = pytest.mark.process


class TestLocalProcess(EngineConformance):
    """`LocalProcess` is an engine."""

    def start(self, job: Job, limits: Limits, folder: Path) -> LocalProcess:
        return LocalProcess(job, limits, folder)
