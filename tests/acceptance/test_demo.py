"""`make demo`, as a newcomer runs it: real processes, a real slide."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest
import tifffile
from tests.acceptance.conftest import PROGRAMS, Computer, wait_for

pytestmark = pytest.mark.process
DEMO = [str(PROGRAMS / "python"), "-m", "coverslip.embedded.demo"]


def _results(output: str) -> Path:
    found = re.search(r"^Results: (.+)$", output, re.MULTILINE)
    assert found, output
    return Path(found[1])


def _left_over(computer: Computer) -> list[str]:
    """Processes that still run on the computer's home."""
    return [
        " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("COVERSLIP_HOME") == str(computer.home)
    ]


def test_ends_with_the_results_of_a_real_slide(computer: Computer) -> None:
    ended = computer.run(DEMO)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    numbered = re.findall(r"^(\d+)  ", ended.stdout, re.MULTILINE)
    assert numbered == [str(number) for number in range(1, len(numbered) + 1)]
    assert len(numbered) <= 12
    assert "$ coverslip application run execute test-app" in ended.stdout
    assert "Epithelial Tissue" in ended.stdout
    folder = _results(ended.stdout) / "CMU-1-Small-Region"
    assert len(list(folder.iterdir())) == 6
    with tifffile.TiffFile(folder / "tissue_qc_segmentation_map_image.tiff") as tiff:
        assert tiff.pages.first.is_tiled
    assert not _left_over(computer)


def test_a_second_time_reuses_what_is_there(computer: Computer) -> None:
    ended = computer.run(DEMO)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "user login" not in ended.stdout
    runs = [path for path in (computer.home / "demo").iterdir() if path.is_dir() and path.name != "slides"]
    assert len(runs) == 2


@pytest.mark.parametrize("moment", ["Starting the database", "Starting the worker", "Uploading", "Submitted run"])
def test_ctrl_c_stops_it_cleanly(computer: Computer, tmp_path: Path, moment: str) -> None:
    log = tmp_path / "log"
    process = computer.start(DEMO, log)
    wait_for(moment, log, process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    assert not _left_over(computer)


def test_goes_on_after_all_that(computer: Computer) -> None:
    ended = computer.run(DEMO)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert _results(ended.stdout).is_dir()
