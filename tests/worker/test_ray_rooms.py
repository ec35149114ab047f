"""Which nodes of a Ray cluster a worker asks items for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray", reason="Ray has no release for this platform")

from coverslip.contract.worker import Room
from coverslip.worker.engines.ray.cluster import Node, roomiest

rooms = st.builds(Room, cpu=st.integers(0, 4), memory_mb=st.integers(0, 4), gpu=st.integers(0, 2))
clusters = st.lists(rooms, max_size=6).map(
    lambda free: [Node(str(number), room, Room(cpu=4, memory_mb=4, gpu=2)) for number, room in enumerate(free)]
)


def fits(needs: Room, room: Room) -> bool:
    return needs.cpu <= room.cpu and needs.memory_mb <= room.memory_mb and needs.gpu <= room.gpu


@given(clusters, rooms)
def test_an_item_that_fits_on_any_node_fits_on_one_that_is_asked_for(cluster: list[Node], needs: Room) -> None:
    if needs.cpu and needs.memory_mb:
        anywhere = any(fits(needs, node.free) for node in cluster)
        assert any(fits(needs, node.free) for node in roomiest(cluster, [])) == anywhere


@given(clusters)
def test_no_node_is_asked_for_in_vain(cluster: list[Node]) -> None:
    chosen = roomiest(cluster, [])
    assert all(node.free.cpu and node.free.memory_mb for node in chosen)
    assert not any(fits(one.free, other.free) for one in chosen for other in chosen if one is not other)


@given(clusters, st.lists(rooms, max_size=3))
def test_no_more_is_offered_than_is_free(cluster: list[Node], wanted: list[Room]) -> None:
    free = {node.node_id: node.free for node in cluster}
    assert all(fits(node.free, free[node.node_id]) for node in roomiest(cluster, wanted))


def test_what_is_wanted_already_is_not_offered_again() -> None:
    whole = Room(cpu=4, memory_mb=4)
    (left,) = roomiest([Node("1", whole, whole)], [Room(cpu=1, memory_mb=3)])
    assert left.free == Room(cpu=3, memory_mb=1)
    assert roomiest([Node("1", whole, whole)], [whole]) == []
