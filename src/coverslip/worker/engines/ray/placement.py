"""Places on the nodes of a cluster, reserved for items."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from coverslip.contract.worker import Lease, Room
from coverslip.worker.engines.engine import needs_of
from coverslip.worker.engines.ray.cluster import MIB
from coverslip.worker.errors import NoNodeFree

_LOOK_S = 1.0


@dataclass(frozen=True)
class Place:
    """A reserved part of one node.

    Attributes
    ----------
    node_id
        The node's id in the cluster.
    options
        What an actor that takes all of it is started with.
    """

    node_id: str
    options: dict[str, Any]


@contextlib.asynccontextmanager
async def reserved(lease: Lease, patience_s: float) -> AsyncIterator[Place]:
    """A place for an item; when the context ends, whatever runs there is killed and the place is free.

    Ray's placement groups cannot grow, and one as large as a run may become would keep nodes from the others. So each
    item of a run has a group of its own, named after both, for no longer than it takes.

    Raises
    ------
    NoNodeFree
        If there is none within ``patience_s`` seconds.
    """
    needs = needs_of(lease)
    name = f"coverslip-run-{lease.run_id}-item-{lease.item_id}-attempt-{lease.attempt}"
    group = placement_group([_bundle(needs)], name=name)
    try:
        await _wait(group, needs, patience_s)
        options = {
            "num_cpus": needs.cpu,
            "num_gpus": needs.gpu,
            "memory": needs.memory_mb * MIB,
            "scheduling_strategy": PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=0),
        }
        yield Place(placement_group_table(group)["bundles_to_node_id"][0], options)
    finally:
        remove_placement_group(group)


def _bundle(needs: Room) -> dict[str, float]:
    """As Ray counts: memory in bytes, and what is not needed is left out."""
    amounts = {"CPU": needs.cpu, "GPU": needs.gpu, "memory": needs.memory_mb * MIB}
    return {name: amount for name, amount in amounts.items() if amount}


async def _wait(group: PlacementGroup, needs: Room, patience_s: float) -> None:
    now = asyncio.get_running_loop().time
    give_up_at = now() + patience_s
    # In short steps: nothing can interrupt the thread that waits.
    while not await asyncio.to_thread(group.wait, _LOOK_S):
        if now() > give_up_at:
            raise NoNodeFree(cpu=needs.cpu, memory_mb=needs.memory_mb, gpu=needs.gpu, waited_s=patience_s)
