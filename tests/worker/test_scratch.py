"""Folders on the scratch disk."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from coverslip.worker.scratch import attempt_folder, clean_up


def test_an_attempts_folder_is_private_and_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    async def use() -> None:
        async with attempt_folder(tmp_path, uuid4(), 1) as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "deep" / "deeper").mkdir(parents=True)
            (folder / "deep" / "deeper" / "file").write_text("x")
            (folder / "outside").symlink_to(tmp_path.parent)
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(use())
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.parent.exists()


def test_an_attempts_folder_is_removed_though_its_worker_is_told_to_stop_twice(tmp_path: Path) -> None:
    released = threading.Event()

    async def use(entered: asyncio.Event) -> None:
        async with attempt_folder(tmp_path, uuid4(), 1):
            entered.set()
            await asyncio.Event().wait()

    async def stop_twice_while_all_threads_are_busy() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        entered = asyncio.Event()
        attempt = asyncio.create_task(use(entered))
        await entered.wait()
        busy = asyncio.create_task(asyncio.to_thread(released.wait))
        for _ in range(2):
            await asyncio.sleep(0)
            attempt.cancel()
            await asyncio.sleep(0)
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await busy

    asyncio.run(stop_twice_while_all_threads_are_busy())
    assert list(tmp_path.iterdir()) == []


def test_two_attempts_at_one_item_do_not_meet(tmp_path: Path) -> None:
    async def use() -> None:
        item = uuid4()
        async with attempt_folder(tmp_path, item, 1) as one, attempt_folder(tmp_path, item, 1) as other:
            assert one != other

    asyncio.run(use())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root, to work as somebody else")
def test_a_folder_that_may_not_be_written_to_is_removed_all_the_same(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "src"
    script = f"""
import os, sys
sys.path[:] = {[str(source), *sys.path]!r}
import asyncio
from pathlib import Path
from uuid import uuid4
from coverslip.worker.scratch import attempt_folder
async def use():
    async with attempt_folder(Path("."), uuid4(), 1) as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "file").write_text("x")
        (folder / "a" / "b").chmod(0)
        (folder / "a").chmod(0o500)
# Once as root, so that all modules are loaded: nobody may not be able to read where Python is installed.
asyncio.run(use())
os.setgid(65534); os.setuid(65534)
asyncio.run(use())
"""
    tmp_path.chmod(0o777)
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_use_is_not_cleaned_up_and_what_is_left_behind_is(tmp_path: Path) -> None:
    async def use() -> None:
        async with attempt_folder(tmp_path, uuid4(), 1) as folder:
            left = tmp_path / "left"
            (left / "deep").mkdir(parents=True)
            (tmp_path / "file").write_text("of somebody else")
            await asyncio.to_thread(clean_up, tmp_path)
            assert folder.exists()
            assert not left.exists()
            assert (tmp_path / "file").exists()

    asyncio.run(use())


def test_the_scratch_folder_is_made_if_there_is_none(tmp_path: Path) -> None:
    clean_up(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
