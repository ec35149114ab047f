"""Sharing a run by the library, on the real service."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from coverslip.platform import Client, GrantRelation, SubjectType
from coverslip.platform.errors import AccessDenied, Conflict, InvalidRequest, NotFound
from coverslip.workflow.sharing import (
    create_share_token,
    organization_grants,
    revoke_share_token,
    share_tokens,
    share_with_organization,
    unshare_with_organization,
)
from harness.people import Person
from harness.service import TestService


@pytest.fixture
def people(service: TestService) -> tuple[Person, Person]:
    """Ada, who shares, and Eve of another organization."""
    return service.member(), service.member()


@pytest.fixture
def clients(
    service: TestService, people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, Client]]:
    monkeypatch.chdir(tmp_path)
    ada, eve = people
    with (
        Client(api_root=service.url, token_provider=lambda: ada.token) as adas,
        Client(api_root=service.url, token_provider=lambda: eve.token) as eves,
    ):
        yield adas, eves


def test_by_a_share_token(service: TestService, people: tuple[Person, Person], clients: tuple[Client, Client]) -> None:
    run_id = people[0].submit("one", "two")
    adas, eves = clients
    token = create_share_token(adas, run_id, datetime.now(UTC) + timedelta(hours=1))
    assert [known.share_token_id for known in share_tokens(adas, run_id)] == [token.share_token_id]
    assert [known.share_token for known in share_tokens(adas, run_id)] == [None], "the secret is shown once"
    shared = eves.run(run_id, token.share_token)
    assert str(shared.details().run_id) == run_id
    held = service.worker().must_lease()
    assert [each.external_id for each in shared.progress()] == ["one"]
    held.succeed()
    service.worker().finish_all()
    done = {item.external_id: item for item in shared.results()}
    assert set(done) == {"one", "two"}
    assert shared.item("two").item_id == done["two"].item_id
    artifact_id = str(done["one"].output_artifacts[0].output_artifact_id)
    assert eves.api.fetch(shared.get_artifact_download_url(artifact_id)) == b"tissue_qc:segmentation_map_image"
    with pytest.raises(NotFound):
        eves.run(run_id).cancel()
    adas.run(run_id).grant_access(SubjectType.USER, people[1].user_id)
    with pytest.raises(AccessDenied):
        eves.run(run_id).cancel()
    (closed,) = revoke_share_token(adas, run_id, str(token.share_token_id))
    assert revoke_share_token(adas, run_id, str(token.share_token_id)) == []
    assert list(share_tokens(adas, run_id)) == []
    assert [grant.grant_id for grant in token.list_share_grants()] == [closed.grant_id]
    token.revoke()
    with pytest.raises(Conflict):
        token.revoke()


def test_with_organizations(people: tuple[Person, Person], clients: tuple[Client, Client]) -> None:
    (ada, eve), (adas, eves) = people, clients
    run_id = ada.submit("one")
    with pytest.raises(NotFound):
        eves.run(run_id).details()
    share_with_organization(adas, run_id)
    theirs = share_with_organization(adas, run_id, eve.organization_id)
    assert share_with_organization(adas, run_id, eve.organization_id).grant_id == theirs.grant_id
    assert str(eves.run(run_id).details().run_id) == run_id
    assert {grant.subject_id for grant in organization_grants(adas, run_id)} == {
        ada.organization_id,
        eve.organization_id,
    }
    assert [grant.subject_id for grant in unshare_with_organization(adas, run_id)] == [ada.organization_id]
    assert unshare_with_organization(adas, run_id) == []
    assert [grant.subject_id for grant in organization_grants(adas, run_id)] == [eve.organization_id]
    theirs.revoke()
    with pytest.raises(NotFound):
        eves.run(run_id).details()
    assert len(list(adas.run(run_id).list_share_grants(relation=[GrantRelation.VIEWER]))) == 2
    assert list(adas.run(run_id).list_share_grants(relation=[GrantRelation.OWNER])) == []


def test_lists_go_on_beyond_a_page(people: tuple[Person, Person], clients: tuple[Client, Client]) -> None:
    (ada, eve), (adas, _) = people, clients
    run_id = ada.submit("one")
    for _ in range(7):
        grant = ada.grant("run", run_id, "user", eve.user_id)
        ada.delete(f"/api/v1/access/grants/{grant['grant_id']}")
        ada.share_token()
    assert len(list(adas.run(run_id).list_share_grants(page_size=5))) == 7
    assert len(list(adas.share_tokens.list(page_size=5))) == 7


def test_a_run_that_cannot_be_shared_leaves_no_token(clients: tuple[Client, Client]) -> None:
    adas, _ = clients
    with pytest.raises(NotFound):
        create_share_token(adas, str(uuid4()))
    assert [token.revoked for token in adas.share_tokens.list()] == [True]
    with pytest.raises(InvalidRequest):
        adas.share_tokens.create(datetime(2000, 1, 1, tzinfo=UTC))


def test_documents(clients: tuple[Client, Client], tmp_path: Path) -> None:
    documents = clients[0].versions.documents("test-app", None)
    (listed,) = documents.list()
    assert documents.details("model-card.md") == listed
    content = documents.read_content("model-card.md")
    assert content.startswith(b"# Test Application")
    into_folder = documents.download_to_path("model-card.md", tmp_path)
    assert into_folder == tmp_path / "model-card.md"
    as_file = documents.download_to_path("model-card.md", tmp_path / "new" / "card.txt")
    assert into_folder.read_bytes() == as_file.read_bytes() == content
    with pytest.raises(NotFound, match="document not found"):
        documents.download_to_path("nonsense", tmp_path)
    with pytest.raises(NotFound, match="Application version not found"):
        clients[0].versions.documents("test-app", "9.9.9").list()
