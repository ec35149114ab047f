"""Parts of uploads in a directory: each in its place, and none of them out of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.errors import ChecksumDiffers, ObjectNotFound, SizeDiffers, UploadEnded
from coverslip.service.storage.parts_in_place import PartsInPlace
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.upload_rules import part_key, parts_of
from coverslip.service.storage.verifying import verified
from harness.worker import crc32c

PREFIX = "org/upload/"
KEY = ObjectKey(Area.INPUTS, "org/slide.svs")
CONTENT = bytes(range(256)) * 40
PARTS = parts_of(len(CONTENT), 4096)
WHOLE: Any = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store", UrlSigner(b"key", "http://x/store"))


def files(store: DirectoryStore, area: Area) -> list[str]:
    folder = store.file(ObjectKey(area, "x")).parent
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def piece_of(number: int) -> bytes:
    part = PARTS[number - 1]
    return CONTENT[part.offset_bytes :][: part.size_bytes]


async def send(store: DirectoryStore, number: int, *pieces: bytes) -> None:
    expected = piece_of(number)
    content = verified(
        chunks(*(pieces or (expected,))), size_bytes=len(expected), checksum_base64_crc32c=crc32c(expected)
    )
    await PartsInPlace(store).receive(part_key(PREFIX, number), PARTS[number - 1].offset_bytes, content)


async def missing(store: DirectoryStore) -> list[int]:
    return [part.number for part in await PartsInPlace(store).missing(PREFIX, PARTS)]


async def join(store: DirectoryStore) -> None:
    await PartsInPlace(store).join(PREFIX, PARTS, KEY, **WHOLE)


@given(size_bytes=st.integers(0, 5000), part_bytes=st.integers(500, 6000), order=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_of_any_size_in_any_order(store: DirectoryStore, size_bytes: int, part_bytes: int, order: Any) -> None:
    content, parts = order.randbytes(size_bytes), parts_of(size_bytes, part_bytes)

    async def transfer() -> None:
        here = PartsInPlace(store)
        for part in order.sample(parts, len(parts)):
            assert part in await here.missing(PREFIX, parts)
            piece = content[part.offset_bytes :][: part.size_bytes]
            await here.receive(part_key(PREFIX, part.number), part.offset_bytes, chunks(piece))
            assert part not in await here.missing(PREFIX, parts)
        await here.join(PREFIX, parts, KEY, size_bytes=size_bytes, checksum_base64_crc32c=crc32c(content))
        assert await here.missing(PREFIX, parts) == parts
        await here.drop(PREFIX)

    asyncio.run(transfer())
    assert store.file(KEY).read_bytes() == content
    assert files(store, Area.PARTS) == []


def test_joining_copies_nothing(store: DirectoryStore) -> None:
    async def transfer() -> int:
        await asyncio.gather(*(send(store, part.number) for part in PARTS))
        inode = store.file(ObjectKey(Area.PARTS, PREFIX + "content")).stat().st_ino
        await join(store)
        return inode

    inode = asyncio.run(transfer())
    assert store.file(KEY).stat().st_ino == inode
    assert store.file(KEY).read_bytes() == CONTENT
    assert files(store, Area.PARTS) == []


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ((b"",), SizeDiffers),
        ((b"x" * 4096,), ChecksumDiffers),
        ((b"x" * 4096, b"x"), SizeDiffers),
    ],
)
def test_a_part_that_differs_has_not_arrived(
    store: DirectoryStore, pieces: tuple[bytes, ...], error: type[Exception]
) -> None:
    async def transfer() -> None:
        for number in (1, 2, 3):
            await send(store, number)
        with pytest.raises(error):
            await send(store, 2, *pieces)
        assert await missing(store) == [2], "even if it had, before"
        await send(store, 2)
        await join(store)

    asyncio.run(transfer())
    assert store.file(KEY).read_bytes() == CONTENT


def test_content_that_was_written_over_is_not_joined(store: DirectoryStore) -> None:
    async def transfer() -> None:
        for part in PARTS:
            await send(store, part.number)
        content = store.file(ObjectKey(Area.PARTS, PREFIX + "content"))
        content.write_bytes(b"x" + CONTENT[1:])
        with pytest.raises(ChecksumDiffers):
            await join(store)
        content.write_bytes(CONTENT + b"x")
        with pytest.raises(SizeDiffers):
            await join(store)
        await PartsInPlace(store).drop(PREFIX)
        assert await missing(store) == [1, 2, 3]
        with pytest.raises(ObjectNotFound):
            await join(store)

    asyncio.run(transfer())
    assert files(store, Area.PARTS) == files(store, Area.INPUTS) == []


@pytest.mark.parametrize("end", ["join", "drop"])
def test_a_part_that_arrives_late_changes_no_object(store: DirectoryStore, end: str) -> None:
    async def transfer() -> None:
        half_sent, ended = asyncio.Event(), asyncio.Event()

        async def late() -> AsyncIterator[bytes]:
            yield b"x" * 1000
            half_sent.set()
            await ended.wait()
            yield b"x" * 1000

        task = asyncio.create_task(PartsInPlace(store).receive(part_key(PREFIX, 2), 4096, late()))
        await half_sent.wait()
        for part in PARTS:  # over another connection; they lie over what the late one has written
            await send(store, part.number)
        if end == "join":
            await join(store)
        await PartsInPlace(store).drop(PREFIX)
        ended.set()
        with pytest.raises(UploadEnded):
            await task
        assert await missing(store) == [1, 2, 3]

    asyncio.run(transfer())
    assert files(store, Area.PARTS) == []
    if end == "join":
        assert store.file(KEY).read_bytes() == CONTENT


def test_only_one_of_those_who_join_does(store: DirectoryStore) -> None:
    async def transfer() -> list[BaseException | None]:
        for part in PARTS:
            await send(store, part.number)
        return await asyncio.gather(*(join(store) for _ in range(4)), return_exceptions=True)

    outcomes = asyncio.run(transfer())
    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["NoneType"] + ["ObjectNotFound"] * 3
    assert store.file(KEY).read_bytes() == CONTENT
