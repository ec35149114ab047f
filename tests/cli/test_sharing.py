"""The commands that share a run and that read release documents, on the real service."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from harness.people import Person
from harness.service import TestService

SHARE = ("application", "run", "share")
DOCUMENT = ("application", "version", "document")


def coverslip(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: object) -> Any:
    done = coverslip(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_run_is_shared_by_token_and_closed_again(service: TestService, sign_in: Callable[[Person], None]) -> None:
    ada, eve = service.member(), service.member()
    run_id = ada.submit("one")
    service.worker().finish_all()
    sign_in(ada)
    assert "None of your share tokens" in coverslip(*SHARE, "token", "list", run_id).stdout
    created = coverslip(*SHARE, "token", "create", run_id, "--expires-at", "2999-01-01T00:00:00Z")
    assert created.exit_code == 0
    secret = created.stdout.strip()
    assert "not shown again" in created.stderr
    (token,) = answer(*SHARE, "token", "list", run_id)
    assert "share_token" not in token
    sign_in(eve)
    describe = ("application", "run", "describe", run_id)
    assert coverslip(*describe).exit_code == 2
    assert coverslip(*describe, "--share-token", secret).exit_code == 0
    brought = coverslip("application", "run", "result", "download", run_id, "out", "--share-token", secret)
    assert brought.exit_code == 0, brought.output
    assert "6 file(s)" in brought.stdout
    sign_in(ada)
    closed = coverslip(*SHARE, "token", "revoke", run_id, token["share_token_id"])
    assert f"Run '{run_id}' is not shared with '{token['share_token_id']}' any more." in closed.stdout
    assert "was not shared so" in coverslip(*SHARE, "token", "revoke", run_id, token["share_token_id"]).stdout
    sign_in(eve)
    assert coverslip(*describe, "--share-token", secret).exit_code == 2


def test_a_run_is_shared_with_an_organization(service: TestService, sign_in: Callable[[Person], None]) -> None:
    ada, eve = service.member(), service.member()
    run_id = ada.submit("one")
    sign_in(ada)
    own = coverslip(*SHARE, "organization", "grant", run_id)
    assert own.stdout == f"Run '{run_id}' is shared with organization '{ada.organization_id}'.\n"
    assert answer(*SHARE, "organization", "grant", run_id, eve.organization_id)["subject_id"] == eve.organization_id
    assert eve.get(f"/api/v1/runs/{run_id}").status_code == 200
    for organization in (ada.organization_id, eve.organization_id):
        assert organization in coverslip(*SHARE, "organization", "list", run_id).stdout
    assert coverslip(*SHARE, "organization", "revoke", run_id, eve.organization_id).exit_code == 0
    assert eve.get(f"/api/v1/runs/{run_id}").status_code == 404
    assert [grant["subject_id"] for grant in answer(*SHARE, "organization", "list", run_id)] == [ada.organization_id]
    status = answer(*SHARE, "status", run_id)
    assert (len(status["organization_grants"]), status["share_tokens"]) == (1, [])
    assert "None of your share tokens" in coverslip(*SHARE, "status", run_id).stdout
    unknown = coverslip(*SHARE, "organization", "grant", run_id, "org_of_nobody")
    assert unknown.exit_code == 2
    assert "ACCESS.SUBJECT_NOT_FOUND" in unknown.stderr
    late = coverslip(*SHARE, "token", "create", run_id, "--expires-at", "2000-01-01T00:00:00Z")
    assert late.exit_code == 2
    assert "in the past" in late.stderr


def test_documents_of_a_version(service: TestService, sign_in: Callable[[Person], None], tmp_path: Path) -> None:
    sign_in(service.member())
    assert "model-card.md" in coverslip(*DOCUMENT, "list", "test-app").stdout
    (listed,) = answer(*DOCUMENT, "list", "test-app", "--application-version", "1.0.0")
    assert answer(*DOCUMENT, "describe", "test-app", "model-card.md") == listed
    assert "text/markdown" in coverslip(*DOCUMENT, "describe", "test-app", "model-card.md").stdout
    assert coverslip(*DOCUMENT, "download", "test-app", "model-card.md").exit_code == 0
    assert (tmp_path / "model-card.md").read_text().startswith("# Test Application")
    done = coverslip(*DOCUMENT, "download", "test-app", "model-card.md", "--output", "cards/one.md")
    assert done.stdout == f"Downloaded 'model-card.md' to {Path('cards/one.md')}.\n"
    missing = coverslip(*DOCUMENT, "describe", "test-app", "nonsense")
    assert missing.exit_code == 2
    assert "CATALOG.DOCUMENT_NOT_FOUND" in missing.stderr
