"""The command as a process: how quickly it starts, how it ends, and what Ctrl-C does."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

SLIDES = Path(__file__).parents[3] / "shared" / "slides"
COMMAND = [sys.executable, "-c", "from coverslip.cli.main import main; main()"]
HEAVY = ("numpy", "tifffile", "openslide", "imagecodecs", "httpx", "jsonschema", "fastapi", "sqlalchemy")


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_help_waits_for_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from coverslip.cli.main import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert answer.stderr == "[]\n"


def test_the_client_library_waits_for_no_decoder() -> None:
    heavy = HEAVY[:4]
    program = f"import sys, coverslip.platform; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_usage_errors_end_with_2() -> None:
    assert run("application", "run", "describe").returncode == 2
    assert run("nonsense").returncode == 2


def test_a_dead_server_ends_with_1_and_advice(tmp_path: Path) -> None:
    answer = run("system", "health", COVERSLIP_API_ROOT="http://127.0.0.1:9", COVERSLIP_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert "http://127.0.0.1:9" in answer.stderr
    assert "coverslip up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_path_that_the_terminal_cannot_show_is_no_failure(tmp_path: Path) -> None:
    answer = run("wsi", "inspect", str(tmp_path / "日本.svs"), PYTHONIOENCODING="ascii")
    assert answer.returncode == 2
    assert "SLIDE.MISSING" in answer.stderr


def test_ctrl_c_tells_how_to_go_on_and_the_run_is_found_again(platform: Any, tmp_path: Path) -> None:
    platform.outcomes["one.svs"] = "NEVER"
    slides = tmp_path / "slides"
    slides.mkdir()
    shutil.copy(SLIDES / "CMU-1-Small-Region.svs", slides / "one.svs")
    link = f"{platform.url}/welcome?link=login-1"
    assert run("user", "login", "--link", link).returncode == 0
    command = [*COMMAND, "application", "run", "execute", "test-app", str(tmp_path / "slides.csv"), str(slides)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    seen = threading.Event()

    def follow(stream: Any) -> None:
        for line in stream:
            lines.append(line)
            if "one.svs: processing" in line:
                seen.set()

    reader = threading.Thread(target=follow, args=(process.stderr,))
    reader.start()
    assert seen.wait(60)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    reader.join()
    (run_id,) = platform.runs
    assert any(f"The run {run_id} goes on. To go on: coverslip application run execute" in line for line in lines)
    assert not any("Traceback" in line for line in lines)
    platform.outcomes.clear()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert f"Going on with run '{run_id}'" in again.stdout
    assert list(platform.runs) == [run_id]
    listed = run("application", "run", "list", "--format", "json")
    assert [entry["run_id"] for entry in json.loads(listed.stdout)] == [run_id]


def run_without_reader(*arguments: str) -> tuple[int, str]:
    """The exit status and stderr of a command that nobody reads."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    return process.wait(60), complaint


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("application", "list"),
        ("application", "list", "--format", "json"),
        ("application", "describe", "he-tme"),
        ("system", "openapi"),
    ],
)
def test_a_reader_that_goes_away_ends_a_command_quietly(platform: Any, arguments: tuple[str, ...]) -> None:
    assert run("user", "login", "--link", f"{platform.url}/welcome?link=login-1").returncode == 0
    status, complaint = run_without_reader(*arguments)
    # A shell reports both as 141.
    assert status in (128 + signal.SIGPIPE, -signal.SIGPIPE)
    assert complaint == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_the_first_login_asks_until_it_has_what_it_needs(platform: Any) -> None:
    terminal, end = os.openpty()
    link = f"{platform.url}/welcome?link=first"
    process = subprocess.Popen(
        [*COMMAND, "user", "login", "--link", link], stdin=end, stdout=subprocess.PIPE, stderr=end, text=True
    )
    os.close(end)
    # The first answer is none, so the platform asks for it again; then the others are kept by a mere return.
    os.write(terminal, b" \nada@example.org\nAda\nExample\n\n\n")
    assert process.stdout is not None
    printed = process.stdout.read()
    process.stdout.close()
    assert process.wait(60) == 0
    os.close(terminal)
    assert f"Logged in to {platform.url} as ada@example.org." in printed
    assert printed.count("Organization") == 2
    assert "E-mail address [ada@example.org]" in printed
