"""Publishing files to a store that may be slow, away or unwilling."""

import asyncio
import os
from pathlib import Path

import pytest

from coverslip.contract.worker import Lease
from coverslip.worker import publishing as module
from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.messages import ArtifactWritten
from coverslip.worker.errors import ApplicationFailed, ArtifactNotStored
from coverslip.worker.publishing import Publisher, uploads_client
from worker.fake_service import SECRET, FakeService, HeldItem


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_FROM_S", 0.01)
    monkeypatch.setattr(module, "_PATIENCE_S", 0.3)


@pytest.fixture
def item(service: FakeService) -> HeldItem:
    """A leased item."""
    item = service.add()
    item.lease["expires_at"] = service._expiry()
    return item


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """The application's folder."""
    (tmp_path / "outputs").mkdir()
    return tmp_path / "outputs"


def publish(service: FakeService, item: HeldItem, outputs: Path, *paths: Path) -> None:
    async def published() -> None:
        api = WorkerApi(service.url, f"worker-{SECRET}")
        try:
            async with asyncio.timeout(20), uploads_client() as uploads:
                publisher = Publisher(api, uploads, Lease.model_validate(item.lease), outputs)
                written = [ArtifactWritten(name=path.name, path=path, metadata={}) for path in paths]
                await asyncio.gather(*(publisher.publish(one) for one in written))
        finally:
            await api.aclose()

    asyncio.run(published())


def files(folder: Path, *contents: bytes) -> list[Path]:
    paths = [folder / f"artifact-{number}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_files_of_any_size_are_published(service: FakeService, item: HeldItem, outputs: Path) -> None:
    contents = [b"", b"x", bytes(3_000_000)]
    publish(service, item, outputs, *files(outputs, *contents))
    assert item.uploads == {f"artifact-{number}": content for number, content in enumerate(contents)}
    assert set(item.published) == set(item.uploads)


def test_a_file_behind_a_link_within_the_folder_is_published(
    service: FakeService, item: HeldItem, outputs: Path
) -> None:
    [path] = files(outputs, b"content")
    (outputs / "link").symlink_to(path)
    publish(service, item, outputs, outputs / "link")
    assert item.uploads == {"link": b"content"}


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "dangling", "parent", "pipe", "outside"])
def test_what_is_no_file_in_the_folder_is_refused(
    service: FakeService, item: HeldItem, outputs: Path, kind: str
) -> None:
    outside = outputs.parent / "token"
    outside.write_text(SECRET)
    path = outputs / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(outside)
    elif kind == "dangling":
        path.symlink_to(outputs / "nothing")
    elif kind == "parent":
        path = outputs / ".." / "token"
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "outside":
        path = outside
    with pytest.raises(ApplicationFailed, match="not in its output folder"):
        publish(service, item, outputs, path)
    assert service.seen["sign"] == 0


@pytest.mark.parametrize("status", ["500", "503", "drop"])
def test_a_store_that_is_away_for_too_long_is_the_platforms_fault(
    service: FakeService, item: HeldItem, outputs: Path, status: str
) -> None:
    service.away["upload"] = status
    with pytest.raises(ArtifactNotStored) as caught:
        publish(service, item, outputs, *files(outputs, b"content"))
    assert service.seen["upload"] > 3
    assert SECRET not in str(caught.value)


def test_a_store_that_never_answers_is_not_waited_for(
    service: FakeService, item: HeldItem, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEAD_START_S", 0.2)
    service.held_up.add("upload")
    with pytest.raises(ArtifactNotStored, match="TimeoutError"):
        publish(service, item, outputs, *files(outputs, b"content"))


def test_each_try_has_a_url_of_its_own(service: FakeService, item: HeldItem, outputs: Path) -> None:
    service.refuses["upload"] = (403, "STORE.SIGNATURE_REFUSED")
    with pytest.raises(ArtifactNotStored, match="403") as caught:
        publish(service, item, outputs, *files(outputs, b"content"))
    stored = [path for path, _ in service.requests if path.startswith("/store/")]
    assert len(stored) == len(set(stored)) == 3
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", [b"more than that", b"less", b""])
def test_a_file_that_changes_meanwhile_is_the_applications_fault(
    service: FakeService, item: HeldItem, outputs: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    [path] = files(outputs, b"content")
    real = WorkerApi.sign_artifact

    async def sign(self: WorkerApi, *arguments: object) -> str | None:
        url = await real(self, *arguments)  # type: ignore[arg-type]
        path.write_bytes(content)
        return url

    monkeypatch.setattr(WorkerApi, "sign_artifact", sign)
    with pytest.raises(ApplicationFailed, match="changed the file"):
        publish(service, item, outputs, path)
    assert item.published == {}
