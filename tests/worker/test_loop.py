"""A slot takes one item after the other, whatever happens to each."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from coverslip.worker import loop
from coverslip.worker.engines import local
from coverslip.worker.errors import NoApplicationInstalled, ScratchFull
from coverslip.worker.loop import work_for_ever
from coverslip.worker.settings import WorkerSettings
from worker.fake_service import SECRET, FakeService


@pytest.fixture
def settings(service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    """Of a worker that rests but a moment."""
    monkeypatch.setattr(loop, "_REFUSED_WAIT_S", 0.01)
    monkeypatch.setattr(loop, "_REST_S", 0.01)
    token = tmp_path / "token"
    token.write_text(f"worker-{SECRET}")
    return WorkerSettings(api_root=service.url, worker_token_file=token, scratch=tmp_path / "scratch")


@pytest.mark.parametrize(
    "failure",
    [RuntimeError("bug"), MemoryError(), asyncio.CancelledError(), ScratchFull(free_mb=0, needed_mb=1)],
    ids=repr,
)
def test_a_slot_survives_any_failure_of_an_attempt(
    settings: WorkerSettings, service: FakeService, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    failures = [failure] * 3
    done = asyncio.Event()

    class Attempt:
        def __init__(self, *arguments: object) -> None:
            pass

        async def run(self) -> None:
            if failures:
                raise failures.pop()
            done.set()

    monkeypatch.setattr(local, "Attempt", Attempt)
    for _ in range(4):
        service.add()
    run_until(settings, done)


def test_a_slot_survives_an_attempt_that_leaves_its_task_marked_as_cancelled(
    settings: WorkerSettings, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As task groups of CPython 3.11 do when a second failure comes while they wait for the rest."""
    runs = iter(range(3))
    done = asyncio.Event()

    class Attempt:
        def __init__(self, *arguments: object) -> None:
            pass

        async def run(self) -> None:
            if next(runs) == 2:
                done.set()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    monkeypatch.setattr(local, "Attempt", Attempt)
    for _ in range(3):
        service.add()
    run_until(settings, done)


@pytest.mark.parametrize("wrong", ["refused", "unreadable"])
def test_a_slot_survives_a_lease_that_is_refused_or_cannot_be_read(
    settings: WorkerSettings, service: FakeService, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    done = asyncio.Event()

    class Attempt:
        def __init__(self, *arguments: object) -> None:
            pass

        async def run(self) -> None:
            done.set()

    monkeypatch.setattr(local, "Attempt", Attempt)
    if wrong == "refused":
        service.refuses["lease"] = (401, "WORKER.UNKNOWN")
    else:
        service.add().lease["inputs"] = 7
    service.add()
    run_until(settings, done, meanwhile=service)


def run_until(settings: WorkerSettings, done: asyncio.Event, meanwhile: FakeService | None = None) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            worker = asyncio.create_task(work_for_ever(settings))
            while meanwhile is not None and meanwhile.seen["lease"] < 3:  # noqa: ASYNC110 - seen by another thread
                await asyncio.sleep(0.01)
            if meanwhile is not None:
                meanwhile.refuses.clear()
            await done.wait()
            worker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await worker

    asyncio.run(run())


def test_without_any_application_there_is_nothing_to_do(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_manifests: list[Any] = []
    monkeypatch.setattr(loop, "manifests", lambda: no_manifests)
    with pytest.raises(NoApplicationInstalled):
        asyncio.run(work_for_ever(settings))
