"""Uploads: whole, repeated, refused."""

from pathlib import Path
from typing import Any

import pytest

from coverslip.platform import Client
from coverslip.platform.errors import FileChanged, FileUnreadable, ServerDiskFull, TransferCut
from coverslip.slides.crc32c import crc32c_file

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    path = tmp_path / "slide ü.svs"
    path.write_bytes(CONTENT)
    return path


def test_a_slide_arrives_with_its_length(platform: Any, client: Client, slide: Path) -> None:
    seen: list[tuple[int, int]] = []
    uploaded = client.upload(slide, crc32c_file(slide), lambda done, total: seen.append((done, total)))
    assert uploaded.sent
    assert platform.objects[uploaded.object_key] == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    sent = platform.asked("PUT", "/store/")
    assert sum(int(headers["content-length"]) for headers in sent) == len(CONTENT)
    assert len(sent) == 3
    for headers in sent:
        assert "transfer-encoding" not in headers
        assert "authorization" not in headers


def test_a_slide_that_is_there_is_not_sent_again(platform: Any, client: Client, slide: Path) -> None:
    first = client.upload(slide, crc32c_file(slide))
    second = client.upload(slide, crc32c_file(slide))
    assert (first.object_key, second.sent) == (second.object_key, False)
    assert len(platform.asked("PUT", "/store/")) == 3


def test_what_arrived_is_not_sent_again(platform: Any, client: Client, slide: Path) -> None:
    platform.part_bytes = 500_000

    def interrupt(done: int, total: int) -> None:
        if done > 3_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.upload(slide, crc32c_file(slide), interrupt)
    before = len(platform.asked("PUT", "/store/"))
    seen: list[int] = []
    uploaded = client.upload(slide, crc32c_file(slide), lambda done, total: seen.append(done))
    assert platform.objects[uploaded.object_key] == CONTENT
    # 3.0 of 5.1 MB had been sent; three parts were on their way.
    assert 1 <= len(platform.asked("PUT", "/store/")) - before <= 8
    assert min(seen) > 1_500_000, "progress begins with what has arrived"


def test_progress_never_goes_back_while_parts_are_sent_side_by_side(platform: Any, client: Client, slide: Path) -> None:
    platform.part_bytes = 300_000
    seen: list[tuple[int, int]] = []
    client.upload(slide, crc32c_file(slide), lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_one_part_that_fails_stops_the_others(platform: Any, client: Client, slide: Path) -> None:
    platform.part_bytes = 100_000
    platform.fail("PUT", "/store/", times=1, status=507)
    with pytest.raises(ServerDiskFull):
        client.upload(slide, crc32c_file(slide))
    assert len(platform.asked("PUT", "/store/")) < 52
    assert client.upload(slide, crc32c_file(slide)).sent


def test_an_upload_that_somebody_else_completes_goes_on(platform: Any, client: Client, slide: Path) -> None:
    platform.fail("PUT", "/store/", times=1, status=409)
    assert client.upload(slide, crc32c_file(slide)).sent


def test_a_store_that_fails_is_tried_again(platform: Any, client: Client, slide: Path) -> None:
    platform.fail("PUT", "/store/", times=2, status=503)
    assert client.upload(slide, crc32c_file(slide)).sent
    assert len(platform.asked("POST", "/parts/")) == 5, "each time with a new URL"


def test_it_gives_up_after_four_attempts(platform: Any, client: Client, slide: Path) -> None:
    platform.part_bytes = len(CONTENT)
    platform.fail("PUT", "/store/", times=9, status=503)
    with pytest.raises(TransferCut, match="failing on demand"):
        client.upload(slide, crc32c_file(slide))
    assert len(platform.asked("PUT", "/store/")) == 4


def test_a_full_disk_of_the_server_is_told_at_once(platform: Any, client: Client, slide: Path) -> None:
    platform.part_bytes = len(CONTENT)
    platform.fail("PUT", "/store/", times=9, status=507)
    with pytest.raises(ServerDiskFull):
        client.upload(slide, crc32c_file(slide))
    assert len(platform.asked("PUT", "/store/")) == 1


def test_a_file_that_changed_is_not_taken_for_the_old_one(platform: Any, client: Client, slide: Path) -> None:
    checksum = crc32c_file(slide)
    slide.write_bytes(CONTENT[::-1])
    with pytest.raises(FileChanged, match="prepare"):
        client.upload(slide, checksum)
    assert platform.objects == {}


def test_a_missing_file_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"gone\.svs"):
        client.upload(tmp_path / "gone.svs", "AAAAAA==")


def test_an_empty_file_can_be_sent(platform: Any, client: Client, tmp_path: Path) -> None:
    (tmp_path / "empty.svs").write_bytes(b"")
    assert client.upload(tmp_path / "empty.svs", "AAAAAA==").sent
