"""``python -m coverslip.worker`` as a real process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from worker.deadlines import is_alive, within
from worker.fake_service import SECRET, HeldItem


class WorkerProcess:
    """A worker in a folder of its own, with the probe application installed by PYTHONPATH.

    Parameters
    ----------
    folder
        For its token, log and, unless ``scratch`` is given, its scratch folder.
    api_root
        Address of the service.
    applications
        Put on PYTHONPATH.
    settings
        Further COVERSLIP_ variables.
    token
        The worker's token.
    """

    def __init__(
        self,
        folder: Path,
        api_root: str,
        applications: Path,
        *,
        slots: int = 1,
        scratch: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        token: str = f"worker-{SECRET}",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch or folder / "scratch"
        self._log = folder / "log.txt"
        token_file = folder / "token"
        token_file.write_text(f"{token}\n")
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
            "PYTHONPATH": str(applications),
            "COVERSLIP_API_ROOT": f"{api_root}/",
            "COVERSLIP_WORKER_TOKEN_FILE": str(token_file),
            "COVERSLIP_WORKER_SLOTS": str(slots),
            "COVERSLIP_SCRATCH": str(self.scratch),
            "COVERSLIP_FETCH_ALLOW": "127.0.0.1",
            **settings,
        }
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "coverslip.worker"], env=environment, cwd=folder, stderr=log
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def leftovers(self) -> list[str]:
        return [path.name for path in self.scratch.iterdir()] if self.scratch.exists() else []

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(15)


def pids_of(mark: Path) -> dict[str, int]:
    """The processes of an application that waits, once it does."""
    within(60, lambda: mark.is_file() and mark.read_text().endswith("}"))
    pids: dict[str, int] = json.loads(mark.read_text())
    return pids


def ended(item: HeldItem) -> dict[str, Any]:
    """The report of an item, once there is one."""
    report = within(60, lambda: item.report)
    assert SECRET not in str(report)
    return report


def all_gone(pids: dict[str, int]) -> bool:
    """Whether none of an application's processes is left."""
    return not any(is_alive(pid) for pid in pids.values())
