"""Control groups: which part of the tree is ours, and what becomes of an application in a group.

No machine that these tests have run on gives its memory controller to version 2, so limits are tried on a tree of plain
files. Entering, killing and removing are tried on a real tree, where there is one that can be written to.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coverslip.worker.engines import control_group
from coverslip.worker.engines.control_group import ControlGroup, find_own_part, make_group
from coverslip.worker.engines.messages import Job, JobInput
from coverslip.worker.engines.process import ApplicationProcess, Limits
from coverslip.worker.errors import ApplicationOutOfMemory
from worker.deadlines import is_alive, within

MIB = 1 << 20
REAL_TREES = [Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")]


class Tree:
    """A tree of plain files, and a process in it."""

    def __init__(self, folder: Path, *, own: str = "/work", root: str = "/", controllers: str = "cpu memory") -> None:
        self.process = folder / "process"
        self.process.mkdir()
        (self.process / "cgroup").write_text(f"4:memory:/elsewhere\n0::{own}\n")
        mount = folder / "tree"
        other = "24 1 0:22 / /proc rw,nosuid - proc proc rw"
        self.mounts = f"{other}\n31 24 0:27 {root} {mount} rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
        (self.process / "mountinfo").write_text(self.mounts)
        self.group = mount / own.removeprefix("/" if root == "/" else f"{root}/")
        self.group.mkdir(parents=True)
        self.write("cgroup.controllers", controllers)
        self.write("cgroup.subtree_control", "memory")

    def write(self, name: str, text: str) -> None:
        (self.group / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.group / name).read_text()


def test_a_delegated_group_that_limits_memory_is_ours(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert find_own_part(tree.process) == tree.group


def test_the_group_is_found_in_a_container_too(tmp_path: Path) -> None:
    tree = Tree(tmp_path, own="/machine/box/work", root="/machine/box")
    assert tree.group == tmp_path / "tree" / "work"
    assert find_own_part(tree.process) == tree.group


def test_a_process_leaves_its_group_for_limits_to_be_possible_below_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("cgroup.subtree_control", "")
    assert find_own_part(tree.process) == tree.group
    assert tree.read("worker/cgroup.procs") == "0"
    assert tree.read("cgroup.subtree_control") == "+memory"


def test_it_goes_back_where_that_is_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("cgroup.subtree_control", "")
    (tree.group / "worker" / "cgroup.procs").mkdir(parents=True)  # it cannot be written to
    assert find_own_part(tree.process) is None
    assert tree.read("cgroup.procs") == "0"
    assert tree.read("cgroup.subtree_control") == ""


@pytest.mark.parametrize("lacks", ["memory", "version 2", "group", "tree", "process"])
def test_without_a_group_that_limits_memory_there_is_none(tmp_path: Path, lacks: str) -> None:
    tree = Tree(tmp_path, controllers="cpu pids" if lacks == "memory" else "cpu memory")
    if lacks == "version 2":
        (tree.process / "mountinfo").write_text(tree.mounts.replace("cgroup2 cgroup2", "cgroup cgroup"))
    elif lacks == "group":
        (tree.process / "cgroup").write_text("4:memory:/work\n")
    elif lacks == "tree":
        tree.group.rename(tmp_path / "away")
    assert find_own_part(tmp_path / "gone" if lacks == "process" else tree.process) is None


class PlainGroup(ControlGroup):
    """A group of plain files; a kernel would remove them with their folder."""

    def __init__(self, path: Path, events: str) -> None:
        super().__init__(path)
        self.path = path
        self.removed = False
        (path / "memory.events").write_text(events)

    def remove(self) -> None:
        self.removed = True


@pytest.mark.process
@pytest.mark.parametrize("killed", [False, True])
def test_an_application_is_in_a_group_with_its_limit(
    tmp_path: Path, applications: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "group").mkdir()
    group = PlainGroup(tmp_path / "group", f"oom 1\noom_kill {int(killed)}\n")
    monkeypatch.setattr(control_group, "own_part", lambda: tmp_path)
    monkeypatch.setattr(control_group, "make_group", lambda parent: group)
    (tmp_path / "slide").write_bytes(b"a slide")
    job = Job(
        application_id="probe",
        version_number="1.0.0",
        item_id="an-item",
        external_id="case 7",
        inputs={"slide": JobInput(path=tmp_path / "slide", metadata={"behave": "succeed"})},
        outputs_directory=tmp_path / "outputs",
    )
    process = ApplicationProcess(job, Limits(memory_mb=512, time_s=60), tmp_path)

    async def run() -> list[str]:
        return [message.kind async for message in process.run()]

    if killed:
        with pytest.raises(ApplicationOutOfMemory):
            asyncio.run(run())
    else:
        assert asyncio.run(run())[-1] == "completed"
    written = {path.name: path.read_text() for path in group.path.iterdir() if path.name != "memory.events"}
    assert written == {
        "cgroup.procs": "0",
        "memory.max": str(512 * MIB),
        "memory.oom.group": "1",
        "memory.swap.max": "0",
    }
    assert group.removed


@pytest.mark.process
def test_removing_a_group_kills_what_is_in_it() -> None:
    tree = next((tree for tree in REAL_TREES if (tree / "cgroup.procs").is_file()), None)
    if tree is None or not os.access(tree, os.W_OK):
        pytest.skip("no control groups of version 2 can be made here")
    group = make_group(tree)
    script = f"open({str(group.entrance)!r}, 'w').write('0'); import os, time; os.fork(); time.sleep(3600)"
    process = subprocess.Popen([sys.executable, "-c", script])
    within(60, lambda: len(group.entrance.read_text().split()) == 2)
    pids = [int(pid) for pid in group.entrance.read_text().split()]
    group.remove()
    process.wait(60)
    assert not any(is_alive(pid) for pid in pids)
    assert not group.entrance.parent.exists()
