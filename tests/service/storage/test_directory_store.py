"""The directory store, through the service's own routes."""

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from coverslip.service.scheduling.sweeper import tidy_up
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.errors import ObjectKeyInvalid
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import Area, ObjectKey
from harness.service import TestService
from harness.store import CONTENT, ObjectStoreConformance
from harness.worker import crc32c


@dataclass
class Directory:
    """The directory that the running service keeps objects in."""

    service: TestService

    @property
    def store(self) -> DirectoryStore:
        store = self.service.context.store
        assert isinstance(store, DirectoryStore)
        return store

    @property
    def root(self) -> Path:
        return self.service.store_folder

    def kept(self) -> dict[str, bytes]:
        found = {}
        for path in self.service.objects():
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found


@pytest.fixture
def reached(service: TestService) -> Directory:
    return Directory(service)


class TestDirectoryStore(ObjectStoreConformance):
    def test_a_link_out_of_the_area_is_not_followed(self, reached: Directory, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        for name, target in (("file", tmp_path / "secret"), ("folder", tmp_path)):
            link = reached.root / "inputs" / name
            link.symlink_to(target)
            try:
                path = name if name == "file" else f"{name}/secret"
                key = ObjectKey(Area.INPUTS, path)
                assert self.http.get(reached.store.sign_get(key, expires_in_s=60)).status_code == 400
                assert self.http.put(self.put_url(reached.store, key, b"x"), content=b"x").status_code == 400
                with pytest.raises(ObjectKeyInvalid):
                    reached.store.file(key)
            finally:
                link.unlink()
        assert (tmp_path / "secret").read_text() == "secret"

    def test_a_name_cannot_be_object_and_folder_at_once(self, reached: Directory) -> None:
        for first, second in (("x", "x/y"), ("p/q", "p")):
            self.upload(reached.store, ObjectKey(Area.INPUTS, first))
            url = self.put_url(reached.store, ObjectKey(Area.INPUTS, second), CONTENT)
            assert self.http.put(url, content=CONTENT).status_code == 400
        assert set(reached.kept()) == {"inputs/x", "inputs/p/q"}

    def test_what_is_served_is_never_run_by_a_browser(self, reached: Directory) -> None:
        self.upload(reached.store, self.key)
        headers = self.http.get(reached.store.sign_get(self.key, expires_in_s=60)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox"

    def test_one_part_becomes_the_object_without_a_copy(self, reached: Directory) -> None:
        part = ObjectKey(Area.PARTS, "org/run/part")
        self.upload(reached.store, part)
        joining = reached.store.join([part], self.key, size_bytes=len(CONTENT), checksum_base64_crc32c=crc32c(CONTENT))
        reached.service.run(joining)
        assert reached.store.file(self.key).samefile(reached.store.file(part))
        self.upload(reached.store, part, b"sent once more")
        assert reached.kept() == {str(self.key): CONTENT, str(part): b"sent once more"}

    def test_deleting_leaves_no_empty_folders(self, reached: Directory) -> None:
        self.upload(reached.store, ObjectKey(Area.RESULTS, "some/where/deep"))
        reached.service.run(reached.store.delete(ObjectKey(Area.RESULTS, "some/where/deep")))
        assert not (reached.root / "results" / "some").exists()
        assert (reached.root / "results").is_dir()


def test_what_a_dead_service_was_receiving_is_swept(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    (tmp_path / "incoming").mkdir()
    alive = os.getppid()
    for name in (f"{dead.pid}-a", f"{os.getpid()}-b", f"{alive}-c"):
        (tmp_path / "incoming" / name).write_bytes(b"half")
    DirectoryStore(tmp_path, UrlSigner(b"key", "http://x/store"))
    assert [path.name for path in (tmp_path / "incoming").iterdir()] == [f"{alive}-c"]


def test_what_a_service_elsewhere_left_half_written_is_swept(reached: Directory) -> None:
    incoming, week = reached.root / "incoming", 7 * 24 * 3600
    for name, age_s in (("1-old", week + 60), ("1-young", week - 60)):
        (incoming / name).write_bytes(b"half")
        os.utime(incoming / name, (time.time() - age_s, time.time() - age_s))
    reached.service.run(tidy_up(reached.service.context))
    assert [path.name for path in incoming.iterdir()] == ["1-young"]
    (incoming / "1-young").unlink()


def test_urls_hold_wherever_the_platform_moves(tmp_path: Path) -> None:
    key = ObjectKey(Area.INPUTS, "a")
    old, new = (DirectoryStore(tmp_path, UrlSigner(b"key", url)) for url in ("http://old/store", "https://new/store"))
    assert new.owned_key(old.sign_get(key, expires_in_s=9)) == key
    other = DirectoryStore(tmp_path, UrlSigner(b"another key", "http://old/store"))
    assert other.owned_key(old.sign_get(key, expires_in_s=9)) is None
