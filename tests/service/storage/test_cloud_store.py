"""The cloud store, on servers that speak S3 and on a stand-in for Google Cloud Storage."""

import asyncio
import itertools
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from coverslip.platform.connection import ATTEMPTS
from coverslip.service.storage import unfinished
from coverslip.service.storage.backends import open_store
from coverslip.service.storage.cloud import MAX_PUT_BYTES, CloudStore
from coverslip.service.storage.cloud_opening import StoreUnusable
from coverslip.service.storage.errors import (
    ChecksumDiffers,
    ObjectKeyInvalid,
    ObjectNotFound,
    ObjectTooLarge,
    SizeDiffers,
    StoreUnavailable,
)
from coverslip.service.storage.store import Area, ObjectKey
from harness.gcs import GcsServer, service_account_key
from harness.s3 import S3Server
from harness.service import at_once
from harness.store import CONTENT, ObjectStoreConformance
from harness.worker import crc32c

_numbers = itertools.count()


@dataclass
class Bucket:
    """One prefix of the bucket, which nobody else uses."""

    server: S3Server | GcsServer
    prefix: str
    store: CloudStore

    def kept(self) -> dict[str, bytes]:
        return self.server.objects(self.prefix)

    def unfinished(self) -> set[str]:
        return {name for name in self.server.unfinished() if name.startswith(f"{self.prefix}/")}


def open_bucket(server: S3Server | GcsServer) -> Bucket:
    prefix = f"site/{next(_numbers)}"
    store = open_store(server.settings(prefix))
    assert isinstance(store, CloudStore)
    return Bucket(server, prefix, store)


# In a process of its own, to be killed: what it writes never ends.
WRITE_FOR_EVER = """
import asyncio, json, sys
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage import unfinished
from coverslip.service.storage.backends import open_store
from coverslip.service.storage.store import Area, ObjectKey

async def chunks():
    for _ in range(5):
        yield bytes(8 * 1024**2)
    await asyncio.sleep(3600)

nothing = {"database_url": "postgresql://", "encryption_key_file": "none"}
settings = ServiceSettings(_env_file=None, **nothing, **json.loads(sys.argv[1]))
asyncio.run(open_store(settings).write(ObjectKey(Area.INPUTS, "slide"), chunks()))
"""


class CloudStoreConformance(ObjectStoreConformance):
    """What a cloud store keeps to, and where it differs from the directory store."""

    faults: ClassVar[dict[str, str]] = {}
    """The server's own faults, by the name of the test that finds one."""

    @pytest.fixture(autouse=True)
    def _expect_faults(self, request: pytest.FixtureRequest) -> None:
        for name, reason in self.faults.items():
            if request.node.name == name or request.node.name.startswith(f"{name}["):
                request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

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
        """No, but what it leaves is not joined, and the right bytes can be sent again."""
        part, damaged = ObjectKey(Area.PARTS, "u/1"), CONTENT[:-1] + b"x"
        url = self.put_url(reached.store, part, CONTENT)
        wanted = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
        assert self.http.put(url, content=damaged).is_success
        with pytest.raises(ChecksumDiffers):
            asyncio.run(reached.store.join([part], self.key, **wanted))
        assert reached.kept() == {str(part): damaged}
        assert self.http.put(url, content=CONTENT).is_success
        asyncio.run(reached.store.join([part], self.key, **wanted))
        assert reached.kept()[str(self.key)] == CONTENT

    @pytest.mark.parametrize("seed", range(6))
    def test_an_upload_cut_anywhere_is_not_usable(self, reached: Bucket, seed: int) -> None:
        chance = random.Random(seed)
        content = chance.randbytes(400_000)
        part = ObjectKey(Area.PARTS, "u/1")
        url = urlsplit(self.put_url(reached.store, part, content))
        with socket.create_connection((url.hostname, url.port)) as raw:
            head = (
                f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            raw.sendall((head.encode() + content)[: chance.randrange(len(head), len(head) + len(content))])
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wanted = {"size_bytes": len(content), "checksum_base64_crc32c": crc32c(content)}
        with pytest.raises((ObjectNotFound, SizeDiffers, ChecksumDiffers)):
            asyncio.run(reached.store.join([part], self.key, **wanted))
        assert str(self.key) not in reached.kept()

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
        assert reached.unfinished() == set()
        asyncio.run(reached.store.join(parts, self.key, size_bytes=len(whole), checksum_base64_crc32c=crc32c(whole)))
        assert reached.kept()[str(self.key)] == whole

    def test_what_a_killed_service_was_writing_is_dropped(self, reached: Bucket) -> None:
        variables = {name: str(value) for name, value in reached.server.variables(reached.prefix).items()}
        with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, json.dumps(variables)]) as service:
            try:
                give_up_at = time.monotonic() + 60
                while not reached.unfinished():
                    assert service.poll() is None
                    assert time.monotonic() < give_up_at, "it does not write"
                    time.sleep(0.05)
            finally:
                service.kill()
        left, now = {f"{reached.prefix}/inputs/slide"}, datetime.now(UTC)
        assert reached.unfinished() == left
        assert reached.kept() == {}
        asyncio.run(reached.store.drop_unfinished(now - timedelta(hours=1)))
        asyncio.run(open_bucket(reached.server).store.drop_unfinished(now + timedelta(hours=1)))
        assert reached.unfinished() == left, "too young, and not the neighbour's"
        asyncio.run(reached.store.drop_unfinished(now + timedelta(hours=1)))
        assert reached.unfinished() == set()

    def test_many_unfinished_writes_are_dropped(self, reached: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unfinished, "_PAGE", 2)
        names = {f"{reached.prefix}/{area}/{number} ü" for area in Area for number in range(2)}
        others = {f"{reached.prefix}/{name}" for name in ("elsewhere/1", "inputs-elsewhere/1", "x")}
        for name in names | others:
            url = reached.server.signer.sign("POST", name, expires_in_s=60, parameters={"uploads": ""})
            self.http.post(url).raise_for_status()
        assert reached.unfinished() == names | others
        asyncio.run(reached.store.drop_unfinished(datetime.now(UTC) + timedelta(hours=1)))
        assert reached.unfinished() == others

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


class TestOnJuicefs(CloudStoreConformance):
    # Its file system asks an ordinary user for the right to search what is no folder.
    faults: ClassVar[dict[str, str]] = (
        {} if os.geteuid() == 0 else {"test_nothing_is_below_an_object": "answers 403 to a name below an object's"}
    )

    @pytest.fixture
    def reached(self, server: S3Server) -> Bucket:
        return open_bucket(server)

    def test_uploads_and_deletions_side_by_side(self, reached: Bucket) -> None:
        """Deleting the last object of a folder may break an upload into it here, but then the upload can be repeated.

        A deletion removes the folders that it leaves empty. One that an upload has made for itself is empty until its
        object moves into it; if it is gone by then, the upload is answered 404.
        """

        def come_and_go(number: int) -> bool:
            key = ObjectKey(Area.RESULTS, f"org/run/{number}")
            for _ in range(25):
                url = self.put_url(reached.store, key, CONTENT)
                if not any(self.http.put(url, content=CONTENT).is_success for _ in range(ATTEMPTS)):
                    return False
                asyncio.run(reached.store.delete(key))
            return True

        assert at_once([lambda n=number: come_and_go(n) for number in range(4)]) == [True] * 4
        assert reached.kept() == {}


class TestOnNanio(CloudStoreConformance):
    """With plain names only: it refuses some others, and cannot hold a name of 255 bytes."""

    faults: ClassVar[dict[str, str]] = {
        "test_ranges[bytes=-100-expected3]": "answers 400 to a range from the end",
        "test_ranges[bytes=-9999-expected5]": "answers 400 to a range from the end",
        "test_ranges[bytes=2040-9999-expected4]": "answers 400 to a range that ends after the object",
        "test_a_range_beyond_the_end": "answers 400, not 416",
        "test_file_name_and_media_type": "does not heed response-content-disposition and response-content-type",
        "test_parameters_with_other_letters_open_nothing": "answers 500 to a signature that is not ASCII",
        "test_nothing_is_below_an_object": "answers 500 to the deletion of a name below another object's",
    }

    @pytest.fixture
    def reached(self, nanio: S3Server) -> Bucket:
        return open_bucket(nanio)

    @pytest.mark.parametrize("name", ["plain.svs", "~tilde", ".hidden", "deep/er/and-deeper.svs"])
    @pytest.mark.parametrize("area", Area)
    def test_odd_names(self, reached: Bucket, area: Area, name: str) -> None:
        super().test_odd_names(reached, area, name)


class TestOnGcs(CloudStoreConformance):
    faults: ClassVar[dict[str, str]] = {
        "test_file_name_and_media_type": "does not heed response-content-disposition and response-content-type"
    }

    @pytest.fixture
    def reached(self, gcs: GcsServer) -> Bucket:
        return open_bucket(gcs)

    @pytest.mark.parametrize("sent", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT * 2])
    def test_an_upload_that_differs_leaves_nothing(self, reached: Bucket, sent: bytes) -> None:
        """No, Google signs no length; but what it leaves is not joined, and the right bytes can be sent again."""
        part = ObjectKey(Area.PARTS, "u/1")
        url = self.put_url(reached.store, part, CONTENT)
        wanted = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
        assert self.http.put(url, content=sent).is_success
        with pytest.raises(SizeDiffers):
            asyncio.run(reached.store.join([part], self.key, **wanted))
        assert reached.kept() == {str(part): sent}
        assert self.http.put(url, content=CONTENT).is_success
        asyncio.run(reached.store.join([part], self.key, **wanted))

    def test_who_is_not_the_account_is_refused(self, reached: Bucket, tmp_path: Path) -> None:
        stranger = tmp_path / "key.json"
        stranger.write_text(service_account_key(rsa.generate_private_key(65537, 2048)))
        with pytest.raises(StoreUnusable, match="403"):
            open_store(reached.server.settings("site", store_service_account_file=stranger))

    def test_a_store_that_cannot_tell_what_is_unfinished_is_named(
        self, reached: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reached.server.front, "listed", lambda: "no list")
        with pytest.raises(StoreUnusable, match="list of unfinished uploads"):
            open_bucket(reached.server)
        with pytest.raises(StoreUnavailable):
            asyncio.run(reached.store.drop_unfinished(datetime.now(UTC)))
