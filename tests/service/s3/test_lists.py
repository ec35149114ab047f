"""Lists of keys: paged, rolled up, in the order of S3."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.s3.listing import ListPage, ListRequest, first_behind, list_page
from harness.people import Person

KEYS = ["a", "a/1", "a/2", "a/b/3", "a0", "b c+d%/x", "ä/ö", "切片/一", "~", "\U0001f52c"]
texts = st.text(st.sampled_from("ab/é\U0010ffff"), max_size=5)


@dataclass
class Row:
    key: str


def page(keys: Sequence[str], request: ListRequest) -> ListPage:
    """A page of those keys, as the database would give them."""

    async def fetch(after: str, start: str, limit: int) -> Any:
        end = first_behind(request.prefix)
        found = [key for key in sorted(keys) if key > after and key >= start and (end is None or key < end)]
        return [Row(key) for key in found if key.startswith(request.prefix)][:limit]

    return asyncio.run(list_page(request, fetch))


def names(one: ListPage) -> list[str]:
    return [entry if isinstance(entry, str) else entry.key for entry in one.entries]


def expected(keys: Sequence[str], prefix: str, delimiter: str) -> list[str]:
    found = set()
    for key in keys:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            place = rest.find(delimiter) if delimiter else -1
            found.add(key if place < 0 else prefix + rest[: place + len(delimiter)])
    return sorted(found)


class TestPages:
    @given(
        keys=st.lists(texts.filter(bool), unique=True, max_size=30),
        prefix=texts,
        delimiter=st.sampled_from(["", "/", "ab", "\U0010ffff"]),
        size=st.integers(1, 7),
    )
    def test_all_pages_together_are_the_list(self, keys: list[str], prefix: str, delimiter: str, size: int) -> None:
        found: list[str] = []
        after = ""
        while True:
            one = page(keys, ListRequest(prefix, delimiter, after, size))
            found += names(one)
            if not one.truncated:
                break
            assert len(one.entries) == size
            after = one.last
        assert found == expected(keys, prefix, delimiter)

    @given(prefix=texts, text=texts)
    def test_first_behind(self, prefix: str, text: str) -> None:
        behind = first_behind(prefix)
        assert behind is None or not text.startswith(prefix) or text < behind
        assert behind is None or not behind.startswith(prefix) or prefix == ""

    def test_a_surrogate_is_no_character(self) -> None:
        assert first_behind("a\ud7ff") == "a\ue000"

    def test_none_are_wanted(self) -> None:
        assert page(["a"], ListRequest(max_keys=0)) == ListPage([], truncated=False)


class TestThroughBoto3:
    @pytest.fixture
    def client(self, s3: Any, ada: Person, bucket: str) -> Any:
        client = s3(ada)
        for key in KEYS:
            client.put_object(Bucket=bucket, Key=key, Body=key.encode())
        return client

    @pytest.mark.parametrize("size", [1, 2, 3, 1000])
    @pytest.mark.parametrize(
        ("prefix", "delimiter"), [("", ""), ("", "/"), ("a", ""), ("a/", "/"), ("ä", ""), ("x", "")]
    )
    def test_pages(self, client: Any, bucket: str, prefix: str, delimiter: str, size: int) -> None:
        found = []
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
        for one in pages:
            entries = [entry["Key"] for entry in one.get("Contents", [])]
            entries += [entry["Prefix"] for entry in one.get("CommonPrefixes", [])]
            assert one["KeyCount"] == len(entries) <= size
            found += sorted(entries)
        assert found == expected(KEYS, prefix, delimiter)

    def test_what_is_said_of_each(self, client: Any, bucket: str) -> None:
        head = client.head_object(Bucket=bucket, Key="a/1")
        listed = client.list_objects_v2(Bucket=bucket, Prefix="a/1", FetchOwner=True)
        (entry,) = listed["Contents"]
        assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (3, head["ETag"], "STANDARD")
        assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]
        assert (listed["Name"], listed["Prefix"], listed["MaxKeys"]) == (bucket, "a/1", 1000)

    def test_start_after(self, client: Any, bucket: str) -> None:
        listed = client.list_objects_v2(Bucket=bucket, StartAfter="a/b/3")
        assert [entry["Key"] for entry in listed["Contents"]] == sorted(KEYS)[4:]

    def test_more_than_a_page_may_hold(self, client: Any, bucket: str) -> None:
        assert client.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
        assert client.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0

    def test_a_token_of_something_else(self, client: Any, bucket: str) -> None:
        for token in ("!", "ÿ", "////", "AA=="):
            with pytest.raises(ClientError) as error:
                client.list_objects_v2(Bucket=bucket, ContinuationToken=token)
            assert error.value.response["Error"]["Code"] == "InvalidArgument"
