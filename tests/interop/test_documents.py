"""The published client's commands for release documents."""

from pathlib import Path

from tests.interop.published_client import PublishedClient, json_of

DOCUMENT = ("application", "version", "document")
CARD = Path(__file__).parents[2] / "src" / "coverslip" / "applications" / "test_app" / "card.md"


def test_documents_are_listed_described_and_downloaded(client: PublishedClient, tmp_path: Path) -> None:
    (listed,) = json_of(client.run(*DOCUMENT, "list", "test-app", "--format", "json"))
    assert (listed["name"], listed["mime_type"]) == ("model-card.md", "text/markdown")
    version = ("--application-version", "1.0.0")
    described = json_of(client.run(*DOCUMENT, "describe", "test-app", "model-card.md", *version, "--format", "json"))
    assert described == listed
    downloaded = client.run(*DOCUMENT, "download", "test-app", "model-card.md", "--output", str(tmp_path))
    assert downloaded.returncode == 0, downloaded.stdout + downloaded.stderr
    assert (tmp_path / "model-card.md").read_bytes() == CARD.read_bytes()


def test_a_document_that_is_not_there(client: PublishedClient) -> None:
    described = client.run(*DOCUMENT, "describe", "test-app", "nothing.pdf")
    assert described.returncode == 2
    assert "Document 'nothing.pdf' not found for application version 'test-app'." in described.stdout
    assert client.run(*DOCUMENT, "list", "test-app", "--application-version", "9.9.9").returncode == 2
