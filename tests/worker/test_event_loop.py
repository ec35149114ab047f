"""Names that nobody resolves in time keep no worker from ending."""

import asyncio
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from coverslip.worker.event_loop import WorkerLoop
from worker.deadlines import within
from worker.fake_service import FakeService
from worker.worker_process import WorkerProcess

# Python imports this by itself. It stands for a name server that never answers.
NEVER_ANSWERED = """
import socket, threading
from pathlib import Path
real = socket.getaddrinfo
def getaddrinfo(host, *arguments, **options):
    if "never.example" not in str(host):
        return real(host, *arguments, **options)
    Path(__file__).with_name("asked").touch()
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
"""


@pytest.mark.process
def test_a_worker_ends_while_a_name_is_looked_up(service: FakeService, probe: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NEVER_ANSWERED)
    worker = WorkerProcess(tmp_path / "worker", service.url, Path(f"{tmp_path}{os.pathsep}{probe}"))
    try:
        item = service.add("succeed", url="http://never.example/slide.svs")
        within(30, (tmp_path / "asked").exists)
        assert worker.stop() == 0
    finally:
        worker.kill()
    assert item.report is not None
    assert item.report["error_code"] == "WORKER.STOPPED"


def run(work: Any) -> Any:
    with asyncio.Runner(loop_factory=WorkerLoop) as runner:
        return runner.run(work)


async def addresses(host: str, **options: Any) -> list[Any]:
    return await asyncio.get_running_loop().getaddrinfo(host, 80, type=socket.SOCK_STREAM, **options)


def test_names_are_resolved_as_the_system_does() -> None:
    assert run(addresses("localhost")) == socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    with pytest.raises(socket.gaierror):
        run(addresses("nobody.invalid", flags=socket.AI_NUMERICHOST))


def test_an_answer_that_nobody_waits_for_any_more_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    release, answered = threading.Event(), threading.Event()
    real = socket.getaddrinfo

    def slow(*arguments: Any, **options: Any) -> Any:
        release.wait(30)
        try:
            return real("127.0.0.1", 80)
        finally:
            answered.set()

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(addresses("slow.example"), 0.01)
        release.set()
        await asyncio.to_thread(answered.wait, 30)
        await asyncio.sleep(0)

    run(give_up())
