"""Fetching a slide from hosts of all kinds."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from coverslip.fetching.allow_list import AllowList
from coverslip.worker.errors import (
    InputAddressInvalid,
    InputAddressRefused,
    InputChecksumMismatch,
    InputFault,
    InputRefusedByHost,
    InputUnreachable,
    ScratchFull,
)
from coverslip.worker.fetch import download as module
from coverslip.worker.fetch.client import slides_client
from coverslip.worker.fetch.download import download, local_name
from worker.fake_service import SECRET, FakeService, Slide, crc32c

MIB = 1 << 20
Fetch = Callable[..., bytes]


@pytest.fixture(autouse=True)
def _small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RANGE_BYTES", 100_000)
    monkeypatch.setattr(module, "_RETRY_FROM_S", 0.01)
    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)


@pytest.fixture
def fetch(service: FakeService, tmp_path: Path) -> Fetch:
    """Fetch a slide from the fake host; returns what is in the file."""

    def fetched(slide: Slide | None, *, url: str = "", checksum: str | None = None, allow: str = "127.0.0.1") -> bytes:
        if slide is not None:
            service.slides["x"] = slide
        target = tmp_path / "slide.tiff"
        fractions: list[float] = []

        async def get() -> None:
            async with asyncio.timeout(30), slides_client(AllowList([allow])) as client:
                await download(
                    client,
                    url or service.slide_url("x"),
                    target,
                    name="case 7",
                    checksum_base64_crc32c=checksum,
                    progress=fractions.append,
                )

        asyncio.run(get())
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)
        return target.read_bytes()

    return fetched


CONTENT = random.Random(7).randbytes(1_234_567)


@pytest.mark.parametrize("size", [0, 1, 99_999, 100_000, 100_001, 1_234_567])
@pytest.mark.parametrize(
    "host",
    [
        {},
        {"cap": 30_000},
        {"ranges": False},
        {"ranges": False, "length_stated": False},
        {"cuts": 3},
        {"cuts": 3, "ranges": False},
        {"cookie": "session=1; Path=/"},
    ],
    ids=str,
)
def test_a_slide_arrives_whole(fetch: Fetch, size: int, host: dict[str, int]) -> None:
    content = CONTENT[:size]
    assert fetch(Slide(content, chunk=10_000, **host), checksum=crc32c(content)) == content


def test_a_slide_without_a_stated_checksum_is_taken_as_it_is(fetch: Fetch) -> None:
    assert fetch(Slide(b"abc")) == b"abc"


def test_another_checksum_is_refused(fetch: Fetch) -> None:
    with pytest.raises(InputChecksumMismatch, match=r"CRC32C .* but AAAAAA== was stated"):
        fetch(Slide(b"abc"), checksum="AAAAAA==")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_host_that_refuses_is_not_asked_again(fetch: Fetch, service: FakeService, status: int) -> None:
    with pytest.raises(InputRefusedByHost, match=str(status)) as caught:
        fetch(Slide(b"abc", status=status))
    assert service.seen["slide"] == 1
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_host_that_is_away_for_too_long_is_unreachable(fetch: Fetch, service: FakeService, status: int) -> None:
    with pytest.raises(InputUnreachable, match=f"answered {status}") as caught:
        fetch(Slide(b"abc", status=status))
    assert service.seen["slide"] > 2
    assert SECRET not in str(caught.value)


def test_nobody_listening_is_unreachable(fetch: Fetch) -> None:
    with pytest.raises(InputUnreachable) as caught:
        fetch(None, url=f"http://127.0.0.1:9/x?signature={SECRET}")
    assert SECRET not in str(caught.value)


def test_a_host_that_always_breaks_off_is_unreachable_but_not_as_long_as_something_arrives(fetch: Fetch) -> None:
    content = CONTENT[:90_000]
    assert fetch(Slide(content, cuts=8, chunk=1000), checksum=crc32c(content)) == content
    with pytest.raises(InputUnreachable):
        fetch(Slide(b"", cuts=10_000, ranges=False, status=502))


def test_redirects_are_followed(fetch: Fetch, service: FakeService) -> None:
    service.slides["y"] = Slide(b"there")
    assert fetch(Slide(b"", redirect=f"/slides/y?signature={SECRET}")) == b"there"
    assert fetch(Slide(b"", redirect=service.slide_url("y"))) == b"there"


@pytest.mark.parametrize("location", ["/slides/x", "ftp://example.org/x", "file:///etc/passwd"])
def test_a_redirect_that_leads_nowhere_is_refused(fetch: Fetch, location: str) -> None:
    with pytest.raises(InputAddressInvalid):
        fetch(Slide(b"", redirect=location))


@pytest.mark.parametrize("address", ["127.0.0.2", "169.254.169.254", "0.0.0.0", "[::1]", "[::ffff:a00:1]"])
def test_a_redirect_into_a_private_network_is_refused(fetch: Fetch, address: str) -> None:
    with pytest.raises(InputAddressRefused) as caught:
        fetch(Slide(b"", redirect=f"http://{address}:1/latest/meta-data?{SECRET}"))
    assert SECRET not in str(caught.value)
    assert address not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1/x", "http://x:y/z", "ftp://x/y"])
def test_an_address_that_is_none_is_the_fault_of_the_input(fetch: Fetch, url: str) -> None:
    with pytest.raises(InputFault):
        fetch(None, url=url)


def test_a_compressed_answer_is_not_unpacked(fetch: Fetch) -> None:
    assert fetch(Slide(b"\x1f\x8b not gzip", encoding="gzip")) == b"\x1f\x8b not gzip"


def test_a_disk_without_room_is_known_before(fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_RESERVE_BYTES", 1 << 60)
    with pytest.raises(ScratchFull):
        fetch(Slide(CONTENT))


def test_a_host_that_is_too_slow_does_not_hold_a_slot_for_ever(
    fetch: Fetch, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEAD_START_S", 0.3)
    monkeypatch.setattr(module, "_PATIENCE_S", 60)
    service.held_up.add("slide body")
    with pytest.raises(InputUnreachable, match="too slow"):
        fetch(Slide(CONTENT))


@pytest.mark.parametrize(
    ("external_id", "media_type", "name"),
    [
        ("case 7.SVS", None, "slide.svs"),
        ("a/b/../../etc/passwd", None, "slide.tiff"),
        ("case", "application/dicom", "slide.dcm"),
        ("case", "application/zip", "slide.zip"),
        ("case.", "image/tiff", "slide.tiff"),
        ("x.sv/s", None, "slide.tiff"),
        ("x.\x00", None, "slide.tiff"),
        ("x.averylongsuffix", None, "slide.tiff"),
    ],
)
def test_of_what_users_call_a_slide_only_the_suffix_is_used(external_id: str, media_type: str, name: str) -> None:
    assert local_name(external_id, media_type) == name
