"""Downloads: whole, cut, damaged, resumed, refused."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from coverslip.platform.connection import open_connections
from coverslip.platform.downloads import download_file
from coverslip.platform.errors import DiskFull, DownloadDamaged, FolderUnusable, NotFound, TransferCut
from coverslip.platform.settings import Settings
from coverslip.slides.crc32c import crc32c_file

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with open_connections(Settings()) as http:
        yield http


@pytest.fixture
def url(platform: Any) -> str:
    artifact_id = str(uuid4())
    platform.files[artifact_id] = CONTENT
    return f"{platform.url}/results/{artifact_id}?signature=x"


@pytest.fixture
def checksum(tmp_path: Path) -> str:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return crc32c_file(path)


def ranges(platform: Any) -> list[str | None]:
    return [headers.get("range") for headers in platform.asked("GET", "/results/")]


def test_a_file_arrives_and_is_not_brought_twice(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    path = tmp_path / "run" / "slide" / "cells.csv"
    seen: list[tuple[int, int]] = []
    assert download_file(http, lambda: url, path, checksum, lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert not download_file(http, lambda: url, path, checksum)
    assert ranges(platform) == [None]
    assert [entry.name for entry in path.parent.iterdir()] == ["cells.csv"]


def test_no_token_goes_to_the_store(http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any) -> None:
    download_file(http, lambda: url, tmp_path / "f", checksum)
    assert "authorization" not in platform.asked("GET", "/results/")[0]


def test_a_cut_download_goes_on_where_it_was_cut(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", cut_after=300_000)
    platform.fail("GET", "/results/", cut_after=200_000)
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT
    asked = ranges(platform)
    assert asked[0] is None
    assert all(header is not None and 0 < int(header[6:-1]) <= 500_000 for header in asked[1:])


def test_a_part_of_an_earlier_process_is_continued(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT[:123_456])
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert ranges(platform) == ["bytes=123456-"]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    (tmp_path / "f.part").write_bytes(b"another file" * 1000)
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert ranges(platform) == ["bytes=12000-", None]


@pytest.mark.parametrize("surplus", [b"", b"more"])
def test_a_complete_or_longer_part_is_settled(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, surplus: bytes
) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT + surplus)
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_one_damaged_answer_is_mended(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", damaged=True)
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_file_that_stays_damaged_is_not_kept(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", times=5, damaged=True)
    with pytest.raises(DownloadDamaged):
        download_file(http, lambda: url, tmp_path / "new" / "f", checksum)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_existing_file_with_other_content_is_replaced(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"older")
    assert download_file(http, lambda: url, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_an_expired_url_is_asked_for_anew(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", status=403)
    signed: list[str] = []
    assert download_file(http, lambda: signed.append(url) or url, tmp_path / "f", checksum)  # type: ignore[func-returns-value]
    assert len(signed) == 2


def test_it_gives_up_after_four_fruitless_attempts(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", times=9, status=503)
    with pytest.raises(TransferCut, match="same command again"):
        download_file(http, lambda: url, tmp_path / "f", checksum)
    assert len(ranges(platform)) == 4


def test_a_missing_file_is_told_at_once(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, platform: Any
) -> None:
    platform.fail("GET", "/results/", times=9, status=404)
    with pytest.raises(NotFound):
        download_file(http, lambda: url, tmp_path / "f", checksum)
    assert len(ranges(platform)) == 1


def test_a_full_disk_is_named_before_it_is_filled(
    http: httpx.Client, url: str, checksum: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**6, 10**6, 1000))
    with pytest.raises(DiskFull, match="what arrived already is kept"):
        download_file(http, lambda: url, tmp_path / "f", checksum)
    assert not (tmp_path / "f").exists()


def test_a_folder_that_is_a_file_is_named(http: httpx.Client, url: str, checksum: str, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(FolderUnusable) as caught:
        download_file(http, lambda: url, tmp_path / "results" / "f", checksum)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno in (errno.EEXIST, errno.ENOTDIR)
