"""What is free on the nodes of the cluster that this process has joined."""

from collections.abc import Iterable
from dataclasses import dataclass

# Ray's own libraries use these; public are only the sums.
from ray._private.state import available_resources_per_node, total_resources_per_node

from coverslip.contract.worker import Room

MIB = 1024 * 1024


@dataclass(frozen=True)
class Node:
    """A node, what it has free, and what it has in all."""

    node_id: str
    free: Room
    total: Room


def live_nodes() -> list[Node]:
    """The nodes that are there. What is reserved is seen at once, what is freed or lost after a moment."""
    free = available_resources_per_node()  # type: ignore[no-untyped-call]
    total = total_resources_per_node()  # type: ignore[no-untyped-call]
    return [Node(node_id, _room(free[node_id]), _room(total[node_id])) for node_id in sorted(free.keys() & total)]


def roomiest(nodes: Iterable[Node], wanted: Iterable[Room]) -> list[Node]:
    """The nodes that are worth asking an item for, once the ``wanted`` rooms are taken.

    A node is left out if it has no processor or no memory free, or another has at least as much of everything.
    """
    left = list(nodes)
    for needs in wanted:
        number = next((number for number, node in enumerate(left) if _holds(node.free, needs)), None)
        if number is not None:
            left[number] = Node(left[number].node_id, _without(left[number].free, needs), left[number].total)
    found: list[Node] = []
    for node in sorted(left, key=lambda node: (node.free.gpu, node.free.cpu, node.free.memory_mb), reverse=True):
        if node.free.cpu > 0 and node.free.memory_mb > 0 and not any(_holds(more.free, node.free) for more in found):
            found.append(node)
    return found


def _room(resources: dict[str, float]) -> Room:
    memory_mb = int(resources.get("memory", 0) / MIB)
    return Room(cpu=resources.get("CPU", 0), memory_mb=memory_mb, gpu=int(resources.get("GPU", 0)))


def _holds(room: Room, needs: Room) -> bool:
    return room.cpu >= needs.cpu and room.memory_mb >= needs.memory_mb and room.gpu >= needs.gpu


def _without(room: Room, needs: Room) -> Room:
    return Room(cpu=room.cpu - needs.cpu, memory_mb=room.memory_mb - needs.memory_mb, gpu=room.gpu - needs.gpu)
