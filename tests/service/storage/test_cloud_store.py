"""The cloud store, on a server that speaks S3."""

import asyncio
import itertools
import random
import socket
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from coverslip.service.storage.backends import open_store
from coverslip.service.storage.cloud import MAX_PUT_BYTES, CloudStore
from coverslip.service.storage.errors import ChecksumDiffers, ObjectKeyInvalid, ObjectTooLarge
from coverslip.service.storage.store import Area, ObjectKey
from harness.s3 import S3Server
from harness.store import CONTENT, ObjectStoreConformance
from harness.worker import crc32c

_numbers = itertools.count()


@dataclass
class Bucket:
    """One prefix of the bucket, which nobody else uses."""

    server: S3Server
    prefix: str
    store: CloudStore

    def kept(self) -> dict[str, bytes]:
        return self.server.objects(self.prefix)


def open_bucket(server: S3Server) -> Bucket:
    prefix = f"site/{next(_numbers)}"
    store = open_store(server.settings(prefix))
    assert isinstance(store, CloudStore)
    return Bucket(server, prefix, store)


class TestCloudStore(ObjectStoreConformance):
    """What a cloud store keeps to, and where it differs from the directory store."""

    @pytest.fixture
    def reached(self, server: S3Server) -> Bucket:
        return open_bucket(server)

    # A bucket has no folders, but this server has a file system below, which now and then fails at that.
    test_uploads_and_deletions_side_by_side = None

    def test_head(self, reached: Bucket) -> None:
        """A URL signed for GET is good for GET only."""
        self.upload(reached.store, self.key)
        assert self.http.head(reached.store.sign_get(self.key, expires_in_s=60)).status_code == 403

    def test_a_download_is_resumed_only_if_the_object_is_the_same(self, reached: Bucket) -> None:
        """S3 need not heed ``If-Range``: no key ever gets another content, and clients check what they fetched."""
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60)
        tag = self.http.get(url).headers["ETag"]
        same = self.http.get(url, headers={"Range": "bytes=5-", "If-Range": tag})
        assert (same.status_code, same.content) == (206, CONTENT[5:])

    @pytest.mark.parametrize("sent", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT * 2])
    def test_an_upload_that_differs_leaves_nothing(self, reached: Bucket, sent: bytes) -> None:
        url = self.put_url(reached.store, self.key, CONTENT)
        assert self.http.put(url, content=sent).status_code in (400, 403)
        assert self.http.put(url, content=iter([sent])).status_code in (400, 403, 411)
        assert reached.kept() == {}
        assert self.http.put(url, content=CONTENT).is_success, "the URL is good for another try"

    def test_an_upload_that_differs_leaves_the_earlier_object(self, reached: Bucket) -> None:
        """No, but what it leaves is not usable, and the right bytes can be sent again."""
        damaged = CONTENT[:-1] + b"x"
        url = self.put_url(reached.store, self.key, CONTENT)
        wanted = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
        assert self.http.put(url, content=damaged).is_success
        assert not asyncio.run(reached.store.holds(self.key, **wanted))
        with pytest.raises(ChecksumDiffers):
            asyncio.run(reached.store.join([self.key], ObjectKey(Area.INPUTS, "a"), **wanted))
        assert reached.kept() == {str(self.key): damaged}
        assert self.http.put(url, content=CONTENT).is_success
        assert asyncio.run(reached.store.holds(self.key, **wanted))

    @pytest.mark.parametrize("seed", range(6))
    def test_an_upload_cut_anywhere_is_not_usable(self, reached: Bucket, seed: int) -> None:
        chance = random.Random(seed)
        content = chance.randbytes(400_000)
        url = urlsplit(self.put_url(reached.store, self.key, content))
        with socket.create_connection((url.hostname, url.port)) as raw:
            head = (
                f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            raw.sendall((head.encode() + content)[: chance.randrange(len(head), len(head) + len(content))])
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        held = reached.store.holds(self.key, size_bytes=len(content), checksum_base64_crc32c=crc32c(content))
        assert not asyncio.run(held)

    def test_a_join_of_many_chunks_is_whole_or_leaves_nothing(self, reached: Bucket) -> None:
        parts = [ObjectKey(Area.PARTS, f"u/{number}") for number in range(3)]
        pieces = [random.Random(number).randbytes(9_000_000 + number) for number in range(3)]
        for part, piece in zip(parts, pieces, strict=True):
            self.upload(reached.store, part, piece)
        whole = b"".join(pieces)
        other = reached.store.join(parts, self.key, size_bytes=len(whole), checksum_base64_crc32c=crc32c(whole[::-1]))
        with pytest.raises(ChecksumDiffers):
            asyncio.run(other)
        assert set(reached.kept()) == {str(part) for part in parts}
        asyncio.run(reached.store.join(parts, self.key, size_bytes=len(whole), checksum_base64_crc32c=crc32c(whole)))
        assert reached.kept()[str(self.key)] == whole

    def test_an_empty_file_is_joined(self, reached: Bucket) -> None:
        part = ObjectKey(Area.PARTS, "u/1")
        self.upload(reached.store, part, b"")
        asyncio.run(reached.store.join([part], self.key, size_bytes=0, checksum_base64_crc32c=crc32c(b"")))
        assert reached.kept()[str(self.key)] == b""

    def test_what_no_put_can_carry_is_refused_before(self, reached: Bucket) -> None:
        with pytest.raises(ObjectTooLarge):
            reached.store.sign_put(
                self.key, expires_in_s=60, size_bytes=MAX_PUT_BYTES + 1, checksum_base64_crc32c="AAAAAA=="
            )

    def test_a_key_too_long_for_a_bucket_is_refused_before(self, reached: Bucket) -> None:
        with pytest.raises(ObjectKeyInvalid):
            reached.store.sign_get(ObjectKey(Area.INPUTS, "/".join(["a" * 255] * 4)), expires_in_s=60)

    def test_urls_of_the_same_bucket_elsewhere_are_not_ours(self, reached: Bucket) -> None:
        neighbour = open_bucket(reached.server)
        assert reached.store.owned_key(neighbour.store.sign_get(self.key, expires_in_s=60)) is None
