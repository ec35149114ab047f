"""Looks at a platform from outside after a run: is everything there, once, and nothing else?"""

import json
import time
from collections import Counter
from pathlib import Path

import psutil

from coverslip import platform
from coverslip.contract.artifacts import ArtifactOutput
from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.runs import RunState

SETTLED_S = 30


def audit(client: platform.Client, run_id: str, home: Path, downloads: Path) -> list[str]:
    """Everything that is wrong with a run that should have succeeded, and with what it left behind."""
    faults = _faults_of_run(client, run_id, downloads)
    count = sum(len(item.output_artifacts) for item in client.run(run_id).results())
    # What lost attempts left is cleared away soon, not at once.
    deadline = time.monotonic() + SETTLED_S
    while (leftovers := _leftovers(run_id, home, count)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return faults + leftovers


def _leftovers(run_id: str, home: Path, artifact_count: int) -> list[str]:
    stored = [path for path in (home / "store" / "results").rglob("*") if path.is_file() and run_id in path.parts]
    faults = [f"left behind: {path}" for folder in ("store/incoming", "scratch") for path in (home / folder).iterdir()]
    if len(stored) != artifact_count:
        faults.append(f"{len(stored)} objects are stored for {artifact_count} artifacts")
    return faults


def _faults_of_run(client: platform.Client, run_id: str, downloads: Path) -> list[str]:
    run = client.run(run_id)
    details = run.details()
    items = list(run.results())
    faults = []
    if details.state is not RunState.TERMINATED:
        faults.append(f"the run is {details.state}")
    counts = Counter(item.termination_reason for item in items)
    if counts != {ItemTerminationReason.SUCCEEDED: details.statistics.item_count}:
        reasons = [(item.external_id, item.error_code, item.error_message) for item in items if item.error_code]
        faults.append(f"items ended as {dict(counts)}: {reasons}")
    if details.statistics.item_succeeded_count != counts[ItemTerminationReason.SUCCEEDED]:
        faults.append(f"statistics say {details.statistics}")
    artifacts = [artifact for item in items for artifact in item.output_artifacts]
    faults += [
        f"artifact {artifact.name} is {artifact.output}"
        for artifact in artifacts
        if artifact.output is not ArtifactOutput.AVAILABLE
    ]
    # Downloading compares every checksum with the artifact's metadata.
    run.download_to_folder(downloads)
    contents = Counter(
        (path.name, path.read_bytes()) for path in downloads.rglob("*") if path.is_file() and path.suffix != ".part"
    )
    faults += [
        f"{count} of {details.statistics.item_count} items have the same {name}"
        for (name, _), count in contents.items()
        if count != details.statistics.item_count
    ]
    return faults


def victims(home: Path, what: str) -> list[psutil.Process]:
    """The processes of the platform on ``home`` that a test may kill: service, worker, application or database."""
    supervisor = psutil.Process(json.loads((home / "run" / "platform.json").read_text())["pid"])
    found = []
    for process in supervisor.children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        kind = {
            "database": "-D" in command and "postgres" in command[0],
            "service": "coverslip.service" in command,
            "worker": "coverslip.worker" in command,
            "application": any(part.endswith("keeper.py") for part in command),
        }
        if kind[what]:
            found.append(process)
    return found
