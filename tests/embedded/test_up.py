"""`python -m coverslip.embedded`: what a person sees, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from coverslip.embedded.__main__ import main
from coverslip.embedded.address import read_address
from coverslip.embedded.health import is_healthy
from coverslip.embedded.home import Home
from coverslip.embedded.ports import free_port


def test_listening_for_others_needs_a_named_proxy(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--home", str(home.root), "--host", "0.0.0.0"]) == 78
    assert "--tls-proxy" in capsys.readouterr().err


def test_a_model_that_is_missing_is_named(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERSLIP_MODEL_TISSUE", "our-colon")
    assert main(["up", "--home", str(home.root)]) == 78
    assert "There is no model our-colon for tissue here" in capsys.readouterr().err


def test_a_port_that_is_used_is_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["up", "--home", str(home.root), "--port", str(port)]) == 1
    assert f"Port {port}" in capsys.readouterr().err


def test_a_login_link_needs_a_running_platform(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["login-link", "--home", str(home.root)]) == 1
    assert "coverslip up" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--port", "0"], ["--port", "x"], ["--workers", "0"], ["--tls-proxy", "http://platform.example"]]
)
def test_wrong_usage_ends_with_2(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", *wrong])
    assert ended.value.code == 2


@pytest.fixture
def up(home: Home) -> Iterator[subprocess.Popen[str]]:
    """A running platform; whoever reads its output waits for its steps."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
    argv = [sys.executable, "-m", "coverslip.embedded", "up", "--home", str(home.root), "--port", str(free_port())]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield process
        children = children_of(process)
        process.kill()
        for child in children:
            if child.is_running():
                child.kill()


def printed_until(process: subprocess.Popen[str], last: str) -> str:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith(last):
            return "".join(lines)
    pytest.fail("it ended after printing:\n" + "".join(lines))


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_up_runs_until_it_is_told_to_stop(up: subprocess.Popen[str], home: Home, within) -> None:
    printed = printed_until(up, "Press Ctrl-C")
    address = read_address(home)
    assert address is not None
    assert address.pid == up.pid
    assert is_healthy(address.url)
    assert f"running at {address.url}" in printed
    assert "first administrator" in printed
    assert str(home.logs) in printed
    second = subprocess.run(
        [sys.executable, "-m", "coverslip.embedded", "up", "--home", str(home.root)], capture_output=True, text=True
    )
    assert second.returncode == 1
    assert str(up.pid) in second.stderr
    assert address.url in second.stderr

    children = children_of(up)
    assert len(children) >= 3
    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    assert gone(children)
    assert read_address(home) is None
    assert not is_healthy(address.url)


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the database is ended at the next start")
def test_nothing_outlives_a_killed_platform(up: subprocess.Popen[str], home: Home, within) -> None:
    printed_until(up, "Press Ctrl-C")
    children = children_of(up)
    up.kill()
    up.wait(10)
    within(30, lambda: gone(children))
    assert read_address(home) is None


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_killed_service_comes_back_at_its_address(up: subprocess.Popen[str], home: Home, within) -> None:
    printed_until(up, "Press Ctrl-C")
    address = read_address(home)
    assert address is not None
    service = next(child for child in children_of(up) if "coverslip.service" in child.cmdline())
    service.kill()
    service.wait(10)
    within(30, lambda: is_healthy(address.url))


def test_help_does_not_wait_for_the_database_driver() -> None:
    code = "import sys, coverslip.embedded.__main__; sys.exit('psycopg' in sys.modules or 'psutil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path.cwd()).returncode == 0
