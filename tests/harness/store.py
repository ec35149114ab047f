"""What every object store must do. A store's tests inherit `ObjectStoreConformance` and say how to reach its medium."""

import asyncio
import random
import socket
import struct
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverslip.service.storage.errors import ChecksumDiffers, ObjectKeyInvalid, ObjectNotFound, SizeDiffers
from coverslip.service.storage.store import Area, ObjectKey, ObjectStat, ObjectStore
from harness.service import at_once
from harness.worker import TLS, crc32c

CONTENT = random.Random(0).randbytes(2048)

ODD_NAMES = [
    "plain.svs",
    "with space.svs",
    "plus+.svs",
    "percent%2F%00.svs",
    "question?.svs",
    "hash#.svs",
    "ämpersänd&=;.svs",
    "切片/深い/フォルダ.svs",
    "no\u202fbreak.svs",
    "e\u0301",
    "~tilde",
    "'quotes\".svs",
    ".hidden",
    "...",
    "a" * 255,
    "/".join(["deep"] * 100),
]

BAD_PATHS = [
    "",
    "/",
    "a//b",
    "/a",
    "a/",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "./a",
    "a\\b",
    "a\x00b",
    "a\nb",
    "x" * 256,
    "a/" * 600 + "a",
]


class Reached(Protocol):
    """A store, and its medium behind its back."""

    store: ObjectStore

    def kept(self) -> dict[str, bytes]:
        """Everything the medium holds, by area and path; whatever an upload left behind too."""
        ...


async def collect(store: ObjectStore, area: Area, prefix: str) -> dict[str, int]:
    return {stat.key.path: stat.size_bytes async for stat in store.list(area, prefix)}


async def read(store: ObjectStore, key: ObjectKey, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in store.open_range(key, start, end)])


def change(url: str, **changes: str | None) -> str:
    """The URL with other parameters."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | changes
    return urlunsplit(
        parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None}, quote_via=quote))
    )


class ObjectStoreConformance:
    """The conformance tests; a subclass provides the fixture ``reached``."""

    http = httpx.Client(timeout=30, verify=TLS)
    key = ObjectKey(Area.RESULTS, "org/run/file.bin")

    def put_url(self, store: ObjectStore, key: ObjectKey, content: bytes, expires_in_s: int = 60) -> str:
        return store.sign_put(
            key, expires_in_s=expires_in_s, size_bytes=len(content), checksum_base64_crc32c=crc32c(content)
        )

    def upload(self, store: ObjectStore, key: ObjectKey, content: bytes = CONTENT) -> None:
        assert self.http.put(self.put_url(store, key, content), content=content).is_success

    def test_an_object_is_kept_exactly(self, reached: Reached) -> None:
        store = reached.store
        assert asyncio.run(store.stat(self.key)) is None
        self.upload(store, self.key)
        assert reached.kept() == {"results/org/run/file.bin": CONTENT}
        assert asyncio.run(store.stat(self.key)) == ObjectStat(self.key, len(CONTENT))
        got = self.http.get(store.sign_get(self.key, expires_in_s=60))
        assert (got.status_code, got.content) == (200, CONTENT)
        assert got.headers["Accept-Ranges"] == "bytes"

    def test_an_empty_object(self, reached: Reached) -> None:
        self.upload(reached.store, self.key, b"")
        assert reached.kept() == {str(self.key): b""}
        assert self.http.get(reached.store.sign_get(self.key, expires_in_s=60)).content == b""

    def test_an_object_of_many_chunks(self, reached: Reached) -> None:
        content = CONTENT * 2048
        self.upload(reached.store, self.key, content)
        assert reached.kept()[str(self.key)] == content
        assert asyncio.run(read(reached.store, self.key)) == content

    def test_parts_are_joined(self, reached: Reached) -> None:
        store = reached.store
        parts = [ObjectKey(Area.PARTS, f"org/upload/{number}") for number in (2, 1, 3)]
        for part, piece in zip(parts, (CONTENT[:1000], CONTENT[1000:1001], CONTENT[1001:]), strict=True):
            self.upload(store, part, piece)
        wanted = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
        asyncio.run(store.join(parts, self.key, **wanted))
        assert reached.kept()[str(self.key)] == CONTENT
        assert len(reached.kept()) == 4, "the parts stay"

    def test_what_is_not_as_announced_is_not_joined(self, reached: Reached) -> None:
        store = reached.store
        part, missing = ObjectKey(Area.PARTS, "org/upload/1"), ObjectKey(Area.PARTS, "org/upload/2")
        self.upload(store, part)
        for parts, size, checksum, error in (
            ([part], len(CONTENT), crc32c(b"other"), ChecksumDiffers),
            ([part], len(CONTENT) + 1, crc32c(CONTENT), SizeDiffers),
            ([part, part], len(CONTENT), crc32c(CONTENT), SizeDiffers),
            ([part, missing], 2 * len(CONTENT), crc32c(CONTENT * 2), ObjectNotFound),
        ):
            with pytest.raises(error):
                asyncio.run(store.join(parts, self.key, size_bytes=size, checksum_base64_crc32c=checksum))
        assert reached.kept() == {str(part): CONTENT}

    def test_what_was_joined_is_not_touched_by_its_parts(self, reached: Reached) -> None:
        """The URL of a part stays good until it expires, but what is sent to it late changes nothing."""
        store, part = reached.store, ObjectKey(Area.PARTS, "org/run/file.bin")
        url = self.put_url(store, part, CONTENT)
        wanted = {"size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
        assert self.http.put(url, content=CONTENT).is_success
        asyncio.run(store.join([part], self.key, **wanted))
        for late in (CONTENT[::-1], CONTENT, b""):
            self.http.put(url, content=late)
            assert reached.kept()[str(self.key)] == CONTENT
        asyncio.run(store.delete(part))
        self.http.put(url, content=CONTENT[::-1])
        assert reached.kept()[str(self.key)] == CONTENT

    @pytest.mark.parametrize("days", [-1, 1])
    def test_what_is_complete_is_not_dropped(self, reached: Reached, days: int) -> None:
        self.upload(reached.store, self.key)
        asyncio.run(reached.store.drop_unfinished(datetime.now(UTC) + timedelta(days=days)))
        assert reached.kept() == {str(self.key): CONTENT}

    @pytest.mark.parametrize("name", ODD_NAMES)
    @pytest.mark.parametrize("area", Area)
    def test_odd_names(self, reached: Reached, area: Area, name: str) -> None:
        key = ObjectKey(area, name)
        self.upload(reached.store, key)
        assert reached.kept() == {f"{area}/{name}": CONTENT}
        url = reached.store.sign_get(key, expires_in_s=60)
        assert self.http.get(url).content == CONTENT
        assert reached.store.owned_key(url) == key
        assert asyncio.run(collect(reached.store, area, name)) == {name: len(CONTENT)}

    @pytest.mark.parametrize("path", BAD_PATHS)
    def test_bad_paths(self, path: str) -> None:
        with pytest.raises(ObjectKeyInvalid):
            ObjectKey(Area.INPUTS, path)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ("bytes=0-0", (0, 1)),
            ("bytes=0-9", (0, 10)),
            ("bytes=100-", (100, None)),
            ("bytes=-100", (-100, None)),
            ("bytes=2040-9999", (2040, None)),
            ("bytes=-9999", (0, None)),
        ],
    )
    def test_ranges(self, reached: Reached, asked: str, expected: tuple[int, int | None]) -> None:
        self.upload(reached.store, self.key)
        got = self.http.get(reached.store.sign_get(self.key, expires_in_s=60), headers={"Range": asked})
        wanted = CONTENT[slice(*expected)]
        start = CONTENT.index(wanted) if expected[0] >= 0 else len(CONTENT) + expected[0]
        assert (got.status_code, got.content) == (206, wanted)
        assert got.headers["Content-Range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(CONTENT)}"

    def test_a_range_beyond_the_end(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60)
        assert self.http.get(url, headers={"Range": f"bytes={len(CONTENT)}-"}).status_code == 416

    def test_a_download_is_resumed_only_if_the_object_is_the_same(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60)
        tag = self.http.get(url).headers["ETag"]
        same = self.http.get(url, headers={"Range": "bytes=5-", "If-Range": tag})
        assert (same.status_code, same.content) == (206, CONTENT[5:])
        other = self.http.get(url, headers={"Range": "bytes=5-", "If-Range": '"another"'})
        assert (other.status_code, other.content) == (200, CONTENT)

    def test_head(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        got = self.http.head(reached.store.sign_get(self.key, expires_in_s=60))
        assert (got.status_code, got.content) == (200, b"")
        assert got.headers["Content-Length"] == str(len(CONTENT))

    def test_file_name_and_media_type(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60, file_name='größe "1".html', media_type="text/html")
        got = self.http.get(url)
        assert got.headers["Content-Type"].startswith("text/html")
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert "gr%C3%B6%C3%9Fe" in got.headers["Content-Disposition"]

    def test_a_missing_object(self, reached: Reached) -> None:
        assert self.http.get(reached.store.sign_get(self.key, expires_in_s=60)).status_code == 404
        with pytest.raises(ObjectNotFound):
            asyncio.run(read(reached.store, self.key))

    def test_a_url_opens_one_object_for_one_method_until_it_expires(self, reached: Reached) -> None:
        store = reached.store
        other = ObjectKey(Area.RESULTS, "org/run/other.bin")
        for key in (self.key, other):
            self.upload(store, key)
        before = reached.kept()
        get, put = store.sign_get(self.key, expires_in_s=60), self.put_url(store, self.key, b"new")
        query = dict(parse_qsl(urlsplit(get).query))
        refused = {
            ("GET", urlunsplit(urlsplit(get)._replace(path=urlsplit(store.sign_get(other, expires_in_s=60)).path))),
            ("GET", urlunsplit(urlsplit(get)._replace(query=""))),
            ("GET", store.sign_get(self.key, expires_in_s=-1)),
            ("GET", put),
            ("HEAD", put),
            ("PUT", get),
            ("DELETE", get),
            ("POST", put),
            ("GET", get + "&extra=1"),
            ("PUT", self.put_url(store, self.key, b"new", expires_in_s=-1)),
        }
        for name, value in query.items():
            last = "A" if value[-1] not in "aA" else "B"  # a server may read hexadecimal digits in either case
            tampered = value[:-1] + last if not value.isdigit() else str(int(value) + 1)
            refused |= {("GET", change(get, **{name: other})) for other in (tampered, "", None, "0", "9" * 30)}
        for method, url in refused:
            answer = self.http.request(method, url, content=b"new" if method == "PUT" else None)
            assert answer.status_code in (400, 401, 403, 405), (method, url, answer.status_code)
        assert reached.kept() == before
        assert self.http.get(get).status_code == 200

    def test_parameters_with_other_letters_open_nothing(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60)
        for name, _ in parse_qsl(urlsplit(url).query):
            assert self.http.get(change(url, **{name: "é"})).status_code in (400, 401, 403), name

    def test_a_url_does_not_lead_out_of_its_area(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = reached.store.sign_get(self.key, expires_in_s=60)
        prefix, _, rest = url.partition("/results/")
        for path in (
            "../secret",
            "..%2fsecret",
            "%2e%2e/secret",
            "%2e%2e%2fsecret",
            "..%5csecret",
            "/etc/passwd",
            "%00",
        ):
            for area in ("results", "inputs", "incoming", ".."):
                with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as raw:
                    base = urlsplit(prefix).path
                    query = rest.partition("?")[2]
                    raw.sendall(
                        f"GET {base}/{area}/{path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
                    )
                    status = int(raw.recv(4096).split()[1])
                assert status in (400, 403, 404, 422), (area, path, status)

    def test_whose_url_it_is(self, reached: Reached) -> None:
        store = reached.store
        key = ObjectKey(Area.INPUTS, "a b/ü+%.svs")
        url = store.sign_get(key, expires_in_s=60)
        assert store.owned_key(url) == key
        assert store.owned_key(store.sign_get(key, expires_in_s=-60)) == key, "expired, but ours"
        for foreign in (
            self.put_url(store, key, b""),
            change(url, signature="AAAA"),
            change(url, expires="9999999999"),
            urlunsplit(urlsplit(url)._replace(query="")),
            "https://slides.example/s.svs",
            "https://slides.example/",
            "https://slides.example",
        ):
            assert store.owned_key(foreign) is None

    @pytest.mark.parametrize("sent", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT * 2, CONTENT[:-1] + b"x"])
    def test_an_upload_that_differs_leaves_nothing(self, reached: Reached, sent: bytes) -> None:
        url = self.put_url(reached.store, self.key, CONTENT)
        assert self.http.put(url, content=sent).status_code == 400
        # Without a Content-Length, only the bytes tell.
        assert self.http.put(url, content=iter([sent])).status_code == 400
        assert reached.kept() == {}
        assert self.http.put(url, content=CONTENT).is_success, "the URL is good for another try"

    def test_an_upload_that_differs_leaves_the_earlier_object(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        url = self.put_url(reached.store, self.key, CONTENT)
        assert self.http.put(url, content=b"x" * len(CONTENT)).status_code == 400
        assert reached.kept() == {str(self.key): CONTENT}

    @pytest.mark.parametrize("abruptly", [True, False])
    def test_an_upload_that_is_cut_leaves_nothing(self, reached: Reached, abruptly: bool) -> None:
        url = urlsplit(self.put_url(reached.store, self.key, CONTENT))
        with socket.create_connection((url.hostname, url.port)) as raw:
            head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
            raw.sendall(head.encode() + CONTENT[:1000])
            if abruptly:  # a reset instead of an orderly end
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                raw.shutdown(socket.SHUT_WR)
                raw.recv(4096)
        give_up_at = time.monotonic() + 10
        while reached.kept() != {}:
            assert time.monotonic() < give_up_at, sorted(reached.kept())
            time.sleep(0.01)
        assert asyncio.run(reached.store.stat(self.key)) is None

    def test_concurrent_uploads_of_one_object_leave_one_of_them_whole(self, reached: Reached) -> None:
        contents = [bytes([number]) * 300_000 for number in range(8)]
        urls = [self.put_url(reached.store, self.key, content) for content in contents]
        answers = at_once(
            [lambda u=url, c=content: self.http.put(u, content=c) for url, content in zip(urls, contents, strict=True)]
        )
        assert all(answer.is_success for answer in answers)
        (kept,) = reached.kept().values()
        assert kept in contents

    def test_uploads_and_deletions_side_by_side(self, reached: Reached) -> None:
        """Deleting the last object of a folder must not break an upload into it."""

        def come_and_go(number: int) -> bool:
            key = ObjectKey(Area.RESULTS, f"org/run/{number}")
            for _ in range(25):
                if not self.http.put(self.put_url(reached.store, key, CONTENT), content=CONTENT).is_success:
                    return False
                asyncio.run(reached.store.delete(key))
            return True

        assert at_once([lambda n=number: come_and_go(n) for number in range(4)]) == [True] * 4
        assert reached.kept() == {}

    def test_listing_and_deleting(self, reached: Reached) -> None:
        store = reached.store
        paths = ["a/1/x", "a/1/y", "a/10/x", "ab", "b/a/1/x"]
        for path in paths:
            self.upload(store, ObjectKey(Area.RESULTS, path), path.encode())
        self.upload(store, ObjectKey(Area.INPUTS, "a/1/x"))

        def listed(prefix: str, area: Area = Area.RESULTS) -> set[str]:
            return set(asyncio.run(collect(store, area, prefix)))

        assert listed("") == set(paths)
        assert listed("a/1/") == {"a/1/x", "a/1/y"}
        assert listed("a/1") == {"a/1/x", "a/1/y", "a/10/x"}
        assert listed("a") == {"a/1/x", "a/1/y", "a/10/x", "ab"}
        assert listed("nothing/here/") == set()
        assert listed("a/1/", Area.INPUTS) == {"a/1/x"}
        asyncio.run(store.delete(ObjectKey(Area.RESULTS, "a/1/x")))
        asyncio.run(store.delete(ObjectKey(Area.RESULTS, "a/1/x")))
        asyncio.run(store.delete(ObjectKey(Area.RESULTS, "never/was")))
        assert listed("") == set(paths) - {"a/1/x"}
        assert "inputs/a/1/x" in reached.kept()

    def test_nothing_is_below_an_object(self, reached: Reached) -> None:
        self.upload(reached.store, self.key)
        below = ObjectKey(self.key.area, f"{self.key.path}/below/it")
        assert asyncio.run(reached.store.stat(below)) is None
        asyncio.run(reached.store.delete(below))
        assert reached.kept() == {str(self.key): CONTENT}

    # Each store inherits this test, with examples of its own.
    @settings(
        max_examples=50,
        suppress_health_check=[*settings.default.suppress_health_check, HealthCheck.differing_executors],
    )
    @given(start=st.integers(0, 2100), length=st.none() | st.integers(0, 2100))
    def test_opened_ranges(self, reached: Reached, start: int, length: int | None) -> None:
        if not reached.kept():
            self.upload(reached.store, self.key)
        end = None if length is None else start + length
        assert asyncio.run(read(reached.store, self.key, start, end)) == CONTENT[start:end]
