"""Which port is free."""

import socket

from coverslip.embedded.ports import free_port, is_free


def test_the_preferred_port_is_taken_if_it_is_free() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port


def test_another_port_is_chosen_if_it_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        used = server.getsockname()[1]
        assert not is_free(used)
        chosen = free_port(used)
        assert chosen != used
        assert 20000 <= chosen <= 32000
