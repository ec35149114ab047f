"""Which addresses may be connected to."""

import asyncio
import ipaddress
import socket
from typing import Any

import httpx
import pytest

from coverslip.fetching.allow_list import AllowList
from coverslip.fetching.errors import AddressRefused
from coverslip.fetching.guard import GuardedTransport
from worker.fake_service import FakeService, Slide

NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2001:0:1::",
    "2001:db8::1",
    "2002:a00:1::",
    "2002:808:808::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "203.0.114.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not AllowList([]).permits("slides.example.org", ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert AllowList([]).permits("slides.example.org", ipaddress.ip_address(address))


@pytest.mark.parametrize("entry", ["10.1.2.3", "10.0.0.0/8", "10.1.2.99/24", "PACS.hospital.example"])
@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_what_is_allowed_is_permitted(entry: str, address: str) -> None:
    allowed = AllowList([entry])
    assert allowed.permits("pacs.hospital.example", ipaddress.ip_address(address))
    assert not allowed.permits("other.hospital.example", ipaddress.ip_address("192.168.0.1"))


def fetch(url: str, *allowed: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=GuardedTransport(AllowList(allowed)), timeout=10) as client:
            return await client.get(url)

    return asyncio.run(get())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_loopback_is_connected_to(host: str, service: FakeService) -> None:
    port = service.url.rpartition(":")[2]
    with pytest.raises(AddressRefused):
        fetch(f"http://{host}:{port}/slides/x")
    assert service.requests == []


def test_the_host_is_asked_by_its_name(service: FakeService) -> None:
    service.slides["x"] = Slide(b"content")
    port = service.url.rpartition(":")[2]
    response = fetch(f"http://localhost:{port}/slides/x", "localhost")
    assert response.content == b"content"
    assert service.requests[0][1]["host"] == f"localhost:{port}"


class Resolver:
    """Answers each question about a name with the next of these lists of addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "slides.example.org":
            return self.real(host, port, *args, **kwargs)
        found = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


def test_the_address_that_was_checked_is_connected_to(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(monkeypatch, ["127.0.0.1"], ["192.168.0.1"])
    service.slides["x"] = Slide(b"content")
    port = service.url.rpartition(":")[2]
    assert fetch(f"http://slides.example.org:{port}/slides/x", "127.0.0.1").content == b"content"
    assert resolver.answers == [["192.168.0.1"]]


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefused):
        fetch("http://slides.example.org/x")


def test_another_address_is_tried_when_one_does_not_answer(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ["127.0.0.9", "127.0.0.1"])
    service.slides["x"] = Slide(b"content")
    port = service.url.rpartition(":")[2]
    assert fetch(f"http://slides.example.org:{port}/slides/x", "127.0.0.0/8").content == b"content"


def test_a_port_that_does_not_exist_is_no_valid_address() -> None:
    with pytest.raises(httpx.InvalidURL, match="99999"):
        fetch("http://127.0.0.1:99999/", "127.0.0.1")


def test_a_name_that_nobody_has_is_a_failure_to_connect() -> None:
    with pytest.raises(httpx.ConnectError, match="cannot be resolved"):
        fetch("http://nobody.invalid/x")


@pytest.mark.parametrize("host", ["pacs.example", "PACS.example", "10.1.2.3", "::ffff:10.9.9.9", "fd00::7"])
def test_what_the_operator_names(host: str) -> None:
    assert AllowList(["pacs.example", "10.0.0.0/8", "fd00::/8"]).names(host)


@pytest.mark.parametrize("host", ["other.example", "8.8.8.8", "127.0.0.1", "pacs.example.org", ""])
def test_what_the_operator_does_not_name(host: str) -> None:
    assert not AllowList(["pacs.example", "10.0.0.0/8"]).names(host)


def test_hosts_that_do_not_answer_hold_up_no_other(service: FakeService) -> None:
    service.slides["x"] = Slide(b"content")
    port = service.url.rpartition(":")[2]

    async def get() -> bytes:
        async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.release()
            await reader.read()
            writer.close()

        connected = asyncio.Semaphore(0)
        silent = await asyncio.start_server(keep_silent, "127.0.0.1")
        silent_port = silent.sockets[0].getsockname()[1]
        transport = GuardedTransport(AllowList(["127.0.0.1"]))
        async with silent, httpx.AsyncClient(transport=transport, timeout=10) as client:
            waiting = [asyncio.create_task(client.get(f"http://127.0.0.1:{silent_port}/")) for _ in range(30)]
            for _ in waiting:
                await connected.acquire()
            answer = await client.get(f"http://127.0.0.1:{port}/slides/x")
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return answer.content

    assert asyncio.run(get()) == b"content"
