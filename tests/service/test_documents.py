"""Release documents: who sees which, and what the service makes of those that manifests declare."""

import json
from pathlib import Path
from typing import Any

import pytest

from coverslip.applications.errors import ManifestInvalid
from coverslip.applications.manifest import Manifest, load_manifest
from coverslip.applications.test_app import MANIFEST
from coverslip.service.access.principal import Role
from coverslip.service.documents.registration import register_documents
from harness.people import Person
from harness.service import TestService

DOCUMENTS = "/api/v1/applications/test-app/versions/1.0.0/documents"
CARD = {"name": "model-card.md", "file": "card.md", "mime_type": "text/markdown"}


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def manifest_with(folder: Path, *documents: dict[str, str]) -> Manifest:
    """The manifest of `test-app`, with other documents."""
    manifest = json.loads(MANIFEST.read_text())
    manifest["versions"][0]["documents"] = list(documents)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return load_manifest(folder / "manifest.json")


def register(service: TestService, manifest: Manifest) -> None:
    service.run(register_documents(service.context.database, service.context.store, [manifest]))


@pytest.fixture
def with_documents(service: TestService, tmp_path: Path) -> Any:
    """`test-app` with a public and an internal document, for the time of a test."""
    (tmp_path / "card.md").write_text("# A card")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.pdf").write_bytes(b"%PDF")
    internal = {"name": "notes.pdf", "file": "more/notes.pdf", "mime_type": "application/pdf", "visibility": "internal"}
    register(service, manifest_with(tmp_path, CARD, internal))
    yield service
    register(service, load_manifest(MANIFEST))


def test_the_card_of_test_app(service: TestService, ada: Person) -> None:
    (listed,) = ada.get(DOCUMENTS).raise_for_status().json()
    assert (listed["name"], listed["mime_type"], listed["visibility"]) == ("model-card.md", "text/markdown", "public")
    assert ada.get(f"{DOCUMENTS}/model-card.md").json() == listed
    card = MANIFEST.parent.joinpath("card.md").read_bytes()  # type: ignore[attr-defined]
    for variant in ("file", "content"):
        answer = ada.get(f"{DOCUMENTS}/model-card.md/{variant}")
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        # The URL is its own permission.
        got = service.http.get(answer.headers["location"])
        assert got.content == card
        assert got.headers["content-type"].startswith("text/markdown")
        disposition = 'attachment; filename="model-card.md"' if variant == "file" else None
        assert got.headers.get("content-disposition") == disposition


def test_texts_of_what_is_not_there(ada: Person) -> None:
    versions = "/api/v1/applications/test-app/versions"
    for path, detail in {
        "/api/v1/applications/nonsense/versions/1.0.0/documents": "application not found",
        f"{versions}/9.9.9/documents": "Application version not found",
        f"{versions}/nonsense/documents/model-card.md": "Application version not found",
        f"{versions}/1.0.0/documents/nonsense": "document not found",
        f"{versions}/1.0.0/documents/card.md/file": "document not found",
        f"{versions}/1.0.0/documents/..%2Fcard.md/content": "Not Found",
    }.items():
        answer = ada.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": detail}), path


def test_internal_documents_are_the_operators(with_documents: TestService) -> None:
    organization = with_documents.organization()
    for role in Role:
        person = with_documents.person(organization, role)
        listed = [document["name"] for document in person.get(DOCUMENTS).json()]
        allowed = role is Role.SUPER_ADMIN
        assert listed == (["model-card.md", "notes.pdf"] if allowed else ["model-card.md"])
        assert person.get(f"{DOCUMENTS}/notes.pdf").status_code == (200 if allowed else 404)
        for variant in ("file", "content"):
            assert person.get(f"{DOCUMENTS}/notes.pdf/{variant}").status_code == (307 if allowed else 404)


def test_a_document_may_be_corrected(with_documents: TestService, tmp_path: Path) -> None:
    ada = with_documents.member()
    (before,) = ada.get(DOCUMENTS).json()
    old_url = ada.get(f"{DOCUMENTS}/model-card.md/content").headers["location"]
    register(with_documents, manifest_with(tmp_path, CARD))
    assert ada.get(DOCUMENTS).json() == [before], "registered again, nothing changes"
    (tmp_path / "card.md").write_text("# A better card")
    register(with_documents, manifest_with(tmp_path, CARD))
    (after,) = ada.get(DOCUMENTS).json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before
    new_url = ada.get(f"{DOCUMENTS}/model-card.md/content").headers["location"]
    assert ada.get(new_url).text == "# A better card"
    assert ada.get(old_url).text == "# A card", "what somebody is reading is not torn from under them"


def test_a_document_may_be_withdrawn(with_documents: TestService, tmp_path: Path) -> None:
    ada = with_documents.member()
    register(with_documents, manifest_with(tmp_path))
    assert ada.get(DOCUMENTS).json() == []
    assert ada.get(f"{DOCUMENTS}/model-card.md/file").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../card.md"},
        {"file": "/etc/passwd"},
        {"file": "a//b"},
        {"file": "..\\card.md"},
        {"file": ""},
        {"file": "absent.md"},
        {"name": "a/b"},
        {"name": ".."},
        {"name": ""},
        {"mime_type": "markdown"},
        {"visibility": "secret"},
        {"surprise": "1"},
    ],
)
def test_declarations_that_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    (tmp_path / "card.md").touch()
    assert manifest_with(tmp_path, CARD).versions[0].documents[0].visibility == "public"
    with pytest.raises(ManifestInvalid):
        manifest_with(tmp_path, CARD | change)
    with pytest.raises(ManifestInvalid, match="repeat"):
        manifest_with(tmp_path, CARD, CARD)
