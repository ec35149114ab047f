"""The SLURM script on this machine, which stands in for two nodes of a cluster."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from worker.deadlines import within
from worker.fake_service import SECRET, FakeService, serve
from worker.worker_process import all_gone, ended, pids_of

pytest.importorskip("ray", reason="Ray has no release for this platform")

pytestmark = pytest.mark.process

REPOSITORY = Path(__file__).parents[2]
JOB_ID = str(os.getpid())  # so that no other run of this test has its port and its folder
# SLURM's programs: every node is this machine, and a task is started at once.
PROGRAMS = {
    "scontrol": "#!/bin/sh\nprintf 'node-1\\nnode-2\\n'\n",
    "srun": '#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n',
}


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serve() as service:
        yield service


@pytest.fixture
def job(tmp_path: Path, service: FakeService) -> Iterator["subprocess.Popen[bytes]"]:
    """The running batch script."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    (tmp_path / "token").write_text(f"worker-{SECRET}")
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(REPOSITORY / "tests/worker/probe_application"),
        "COVERSLIP_API_ROOT": service.url,
        "COVERSLIP_WORKER_TOKEN_FILE": str(tmp_path / "token"),
        "COVERSLIP_SCRATCH": str(tmp_path / "scratch"),
        "COVERSLIP_FETCH_ALLOW": "127.0.0.1",
        "SLURM_JOB_ID": JOB_ID,
        "SLURM_JOB_NODELIST": "node-[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
        "SLURM_MEM_PER_NODE": "2048",
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", str(REPOSITORY / "deploy/slurm/coverslip.sbatch")], env=environment, stdout=log, stderr=log
        )
    yield process
    for child in reversed(psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []):
        child.kill()
    process.kill()
    process.wait()
    shutil.rmtree(f"/tmp/coverslip-{JOB_ID}", ignore_errors=True)


def test_a_job_processes_items_and_gives_them_back_at_its_end(
    job: "subprocess.Popen[bytes]", service: FakeService, tmp_path: Path
) -> None:
    items = [service.add("succeed") for _ in range(3)]
    within(120, lambda: items[0].report or job.poll() is not None)
    assert [ended(item)["outcome"] for item in items] == ["SUCCEEDED"] * 3
    last = service.add("wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    processes = psutil.Process(job.pid).children(recursive=True)
    job.send_signal(signal.SIGTERM)
    assert job.wait(120) == 128 + signal.SIGTERM
    assert ended(last)["error_code"] == "WORKER.STOPPED"
    within(60, lambda: all_gone(pids))
    within(60, lambda: not any(process.is_running() for process in processes))
    assert list((tmp_path / "scratch").iterdir()) == []
    log = (tmp_path / "log").read_text()
    assert "can run arbitrary code" not in log  # Ray says so of clusters without a token
    assert SECRET not in log
