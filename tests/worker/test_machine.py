"""A worker's room is taken by what it processes, and an application sees its own graphics processors alone."""

import asyncio
from pathlib import Path

import pytest

from coverslip.contract.worker import Room
from coverslip.worker.engines import machine as machines
from coverslip.worker.engines.machine import Machine, machine_of
from coverslip.worker.settings import WorkerSettings


def settings(**changes: object) -> WorkerSettings:
    return WorkerSettings(
        _env_file=None,
        api_root="http://127.0.0.1",
        worker_token_file=Path("token"),
        scratch=Path("scratch"),
        **changes,
    )


def test_room_is_kept_while_an_item_is_processed() -> None:
    machine = Machine(cpu=4, memory_mb=8000, gpus=["0", "1"])
    with machine.reserved(Room(cpu=1, memory_mb=2000, gpu=1)) as first:
        with machine.reserved(Room(cpu=2.5, memory_mb=1000, gpu=1)) as second:
            assert (first, second) == (("0",), ("1",))
            assert machine.free == Room(cpu=0.5, memory_mb=5000, gpu=0)
        with machine.reserved(Room(cpu=9, memory_mb=1, gpu=3)) as rest:
            assert rest == ("1",), "an item that does not fit gets what there is"
            assert machine.free == Room(cpu=0, memory_mb=5999, gpu=0)
        assert not machine.is_empty
    assert machine.is_empty
    assert machine.free == machine.total


def test_a_full_machine_asks_for_nothing_until_an_item_ends() -> None:
    async def run() -> None:
        machine = Machine(cpu=1, memory_mb=100, gpus=[])
        await machine.wait_for_room()
        with machine.reserved(Room(cpu=1, memory_mb=10)):
            waiting = asyncio.create_task(machine.wait_for_room())
            await asyncio.sleep(0)
            assert not waiting.done()
        async with asyncio.timeout(20):
            await waiting

    asyncio.run(run())


def test_what_a_machine_has_is_found_out() -> None:
    machine = machine_of(settings())
    assert machine.total.cpu > 0
    assert machine.total.memory_mb > 100


def test_settings_leave_less_of_it_to_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-7")
    assert machine_of(settings()).total.gpu == 2
    machine = machine_of(settings(worker_cpu=1.5, worker_memory_mb=1000, worker_gpu=1))
    assert machine.total == Room(cpu=1.5, memory_mb=1000, gpu=1)
    with machine.reserved(Room(cpu=1, memory_mb=1, gpu=1)) as gpus:
        assert gpus == ("3",)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine_of(settings()).total.gpu == 0


@pytest.mark.parametrize(("quota", "most"), [("max 100000", 10_000), ("50000 100000", 0.5), ("", 10_000)])
def test_the_limits_of_a_container_count(monkeypatch: pytest.MonkeyPatch, quota: str, most: float) -> None:
    limits = {"cpu.max": quota, "memory.max": str(512 * 1024 * 1024)}
    monkeypatch.setattr(machines, "_of_control_group", limits.__getitem__)
    total = machine_of(settings()).total
    assert total.cpu <= most
    assert total.memory_mb == 512
