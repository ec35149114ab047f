"""A Ray cluster of three nodes on this machine."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray.cluster_utils import Cluster

_OBJECT_STORE_BYTES = 80 << 20  # the least that Ray takes
# A node that is killed is missed after one or two seconds, and not after ten.
_HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 5000,
    "health_check_failure_threshold": 5,
}


class ThreeNodes:
    """A head without processors, to which workers connect, and nodes for items.

    Parameters
    ----------
    folder
        For Ray's files. Its path must be short: sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        common: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        head = {"num_cpus": 0, "temp_dir": str(folder / "ray"), "_system_config": _HEALTH_CHECKS}
        self.cluster = Cluster(initialize_head=True, head_node_args=common | head)
        node = {"object_store_memory": _OBJECT_STORE_BYTES, "num_cpus": 2}
        self.plain = self.cluster.add_node(**node)
        self.with_gpu = self.cluster.add_node(**node, num_gpus=1)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def settings(self) -> dict[str, str]:
        """What a worker is told."""
        return {"COVERSLIP_ENGINE": "ray", "COVERSLIP_RAY_ADDRESS": self.address}

    def kill(self, node: Any) -> None:
        """As if the node's machine had lost its power."""
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def groups(self) -> dict[str, str]:
        """The placement groups that are not gone: by name, the node where each is."""
        table = self.cluster.global_state.placement_group_table()
        groups = [group for group in table.values() if group["state"] != "REMOVED"]
        return {group["name"]: group["bundles_to_node_id"][0] for group in groups}

    def living_actors(self) -> list[str]:
        """Ids of the actors that are not gone."""
        table = self.cluster.global_state.actor_table(None, None, None)
        return [actor_id for actor_id, actor in table.items() if actor["State"] != "DEAD"]

    def logs(self) -> str:
        """All that Ray and what ran on its nodes have logged."""
        files = [path for path in self.folder.rglob("logs/**/*") if path.is_file()]
        return "\n".join(path.read_text(errors="replace") for path in files)


@contextlib.contextmanager
def three_nodes(applications: Path) -> Iterator[ThreeNodes]:
    """A running cluster, on whose nodes the packages in a folder are installed."""
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    (folder / "ray").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_TMPDIR", str(folder))
        environment.setenv("PYTHONPATH", str(applications), prepend=os.pathsep)
        try:
            nodes = ThreeNodes(folder)
            try:
                yield nodes
            finally:
                nodes.cluster.shutdown()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
