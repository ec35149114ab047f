"""Grants and share tokens: what they open, to whom, and what they never open."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.access import GrantCreateRequest, ResourceType, SubjectType
from coverslip.service.access.principal import Principal, Role
from coverslip.service.access.sharing_rules import Place, RunParts, opened_by, subject_fault, subjects_of
from harness.people import Person, grant_request, item_path, item_request
from harness.service import TestService, at_once

GRANTS = "/api/v1/access/grants"
TOKENS = "/api/v1/access/share-tokens"


@dataclass
class Shared:
    """A finished run of two slides, and another run, of Ada's."""

    run_id: str
    other_run_id: str
    items: dict[str, str]
    artifacts: dict[str, str]

    def paths(self) -> dict[str, str]:
        """What can be read of the run, by a short name."""
        run = f"/api/v1/runs/{self.run_id}"
        found = {"run": run, "items": f"{run}/items", "progress": f"/api/coverslip/v1/runs/{self.run_id}/progress"}
        found["events"] = f"/api/coverslip/v1/runs/{self.run_id}/events"
        for name in self.items:
            found[f"item {name}"] = item_path(self.run_id, name)
            found[f"file of {name}"] = f"{run}/artifacts/{self.artifacts[name]}/file"
        return found


EVERYTHING = {"run", "items", "progress", "events", "item one", "item two", "file of one", "file of two"}


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def eve(service: TestService) -> Person:
    """A member of another organization."""
    return service.member()


@pytest.fixture
def shared(service: TestService, ada: Person) -> Shared:
    run_id = ada.submit("one", "two")
    other_run_id = ada.submit("one")
    service.worker().finish_all()
    items = {item["external_id"]: item for item in ada.items(run_id)}
    return Shared(
        run_id,
        other_run_id,
        {name: item["item_id"] for name, item in items.items()},
        {name: item["output_artifacts"][0]["output_artifact_id"] for name, item in items.items()},
    )


def readable(person: Person, shared: Shared, share_token: str | None = None) -> set[str]:
    """What of the run the person is shown; everything else must not exist for them."""
    parameters: Mapping[str, str] = {} if share_token is None else {"share_token": share_token}
    answers = {name: person.get(path, params=parameters).status_code for name, path in shared.paths().items()}
    assert set(answers.values()) <= {200, 307, 404}, answers
    return {name for name, status in answers.items() if status != 404}


class TestWhoIsReached:
    def test_nobody_without_a_grant(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        assert readable(ada, shared) == EVERYTHING
        for stranger in (eve, service.person(ada.organization_id), service.person(eve.organization_id, Role.ADMIN)):
            assert readable(stranger, shared) == set()

    def test_a_user_in_whatever_organization(
        self, service: TestService, ada: Person, eve: Person, shared: Shared
    ) -> None:
        colleague = service.person(ada.organization_id)
        for person in (eve, colleague):
            ada.grant("run", shared.run_id, "user", person.user_id)
            assert readable(person, shared) == EVERYTHING
        assert readable(service.person(eve.organization_id, Role.ADMIN), shared) == set()

    def test_all_of_an_organization(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("run", shared.run_id, "organization_user", eve.organization_id)
        for role in (Role.MEMBER, Role.ADMIN):
            assert readable(service.person(eve.organization_id, role), shared) == EVERYTHING
        assert readable(service.person(ada.organization_id), shared) == set()

    def test_the_administrators_of_an_organization(
        self, service: TestService, ada: Person, eve: Person, shared: Shared
    ) -> None:
        ada.grant("run", shared.run_id, "organization_admin", eve.organization_id)
        assert readable(service.person(eve.organization_id, Role.ADMIN), shared) == EVERYTHING
        assert readable(eve, shared) == set()

    def test_holders_of_a_share_token_who_are_signed_in(
        self, service: TestService, ada: Person, eve: Person, shared: Shared
    ) -> None:
        token = ada.share_token()
        assert readable(eve, shared, token["share_token"]) == set(), "it opens nothing yet"
        ada.grant("run", shared.run_id, "share_token", token["share_token_id"])
        for person in (eve, service.person(ada.organization_id)):
            assert readable(person, shared, token["share_token"]) == EVERYTHING
            assert readable(person, shared) == set()
        for path in shared.paths().values():
            assert service.http.get(path, params={"share_token": token["share_token"]}).status_code == 401

    def test_lists_of_runs_stay_ones_own(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("run", shared.run_id, "user", eve.user_id)
        for query in ("", "?submitted_by=" + ada.user_id, "?organization_id=" + ada.organization_id):
            assert eve.get(f"/api/v1/runs{query}").json() == []
        assert eve.get(f"/api/v1/runs?for_organization={ada.organization_id}").status_code == 403


class TestWhatIsOpened:
    def test_an_item_with_its_artifacts(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("item", shared.items["one"], "user", eve.user_id)
        assert readable(eve, shared) == {"items", "progress", "item one", "file of one"}
        assert [item["external_id"] for item in eve.items(shared.run_id)] == ["one"]
        for query in ("external_id__in=two", f"item_id__in={shared.items['two']}", "custom_metadata=$.a"):
            assert eve.get(f"/api/v1/runs/{shared.run_id}/items?{query}").json() == []

    def test_an_artifact_alone(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("output_artifact", shared.artifacts["one"], "user", eve.user_id)
        assert readable(eve, shared) == {"file of one"}
        others = ada.items(shared.run_id)[0]["output_artifacts"][1:]
        for artifact in others:
            path = f"/api/v1/runs/{shared.run_id}/artifacts/{artifact['output_artifact_id']}/file"
            assert eve.get(path).status_code == 404

    def test_grants_add_up(self, ada: Person, eve: Person, shared: Shared) -> None:
        token = ada.share_token()
        ada.grant("item", shared.items["one"], "share_token", token["share_token_id"])
        ada.grant("output_artifact", shared.artifacts["two"], "organization_user", eve.organization_id)
        expected = {"items", "progress", "item one", "file of one", "file of two"}
        assert readable(eve, shared, token["share_token"]) == expected
        assert readable(eve, shared) == {"file of two"}
        ada.grant("run", shared.run_id, "user", eve.user_id)
        assert readable(eve, shared) == EVERYTHING

    def test_no_other_run(self, ada: Person, eve: Person, shared: Shared) -> None:
        token = ada.share_token()
        ada.grant("run", shared.run_id, "share_token", token["share_token_id"])
        ada.grant("run", shared.run_id, "user", eve.user_id)
        other = f"/api/v1/runs/{shared.other_run_id}"
        parameters = {"share_token": token["share_token"]}
        for path in (other, f"{other}/items", item_path(shared.other_run_id, "one")):
            assert eve.get(path, params=parameters).status_code == 404
        # An artifact is found under its own run only, and a shared run leads to no artifact of another.
        assert eve.get(f"{other}/artifacts/{shared.artifacts['one']}/file", params=parameters).status_code == 404
        foreign = ada.items(shared.other_run_id)[0]["output_artifacts"][0]["output_artifact_id"]
        path = f"/api/v1/runs/{shared.run_id}/artifacts/{foreign}/file"
        assert eve.get(path, params=parameters).status_code == 404

    def test_the_file_itself(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("output_artifact", shared.artifacts["one"], "user", eve.user_id)
        answer = eve.get(shared.paths()["file of one"])
        assert answer.headers["cache-control"] == "no-store"
        assert eve.get(answer.headers["location"]).status_code == 200

    def test_input_urls_stay_with_the_submitter(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("run", shared.run_id, "user", eve.user_id)
        (seen, _), (own, _) = eve.items(shared.run_id), ada.items(shared.run_id)
        assert own["input_artifacts"][0]["download_url"] is not None
        assert seen["input_artifacts"][0]["download_url"] is None
        assert seen["output_artifacts"][0]["download_url"] is not None


class TestViewersChangeNothing:
    def changes(self, person: Person, run_id: str) -> list[int]:
        run = f"/api/v1/runs/{run_id}"
        body = {"custom_metadata": {"by": "eve"}}
        answers = [
            person.post(f"{run}/cancel"),
            person.delete(f"{run}/artifacts"),
            person.put(f"{run}/custom-metadata", json=body),
            person.put(f"{item_path(run_id, 'one')}/custom-metadata", json=body),
        ]
        return [answer.status_code for answer in answers]

    def test_of_a_run_they_see(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        assert self.changes(eve, shared.run_id) == [404] * 4
        before = ada.run(shared.run_id), ada.items(shared.run_id)[0]["custom_metadata"]
        for person in (eve, service.person(ada.organization_id)):
            ada.grant("run", shared.run_id, "user", person.user_id)
            assert self.changes(person, shared.run_id) == [403] * 4
        assert (ada.run(shared.run_id), ada.items(shared.run_id)[0]["custom_metadata"]) == before

    def test_of_an_item_they_see(self, ada: Person, eve: Person, shared: Shared) -> None:
        ada.grant("item", shared.items["one"], "user", eve.user_id)
        assert self.changes(eve, shared.run_id) == [404, 404, 404, 403]

    def test_nor_do_they_share_it_on(self, ada: Person, eve: Person, shared: Shared) -> None:
        resources = {"run": shared.run_id, "item": shared.items["one"], "output_artifact": shared.artifacts["one"]}

        def tried(person: Person) -> list[int]:
            requests = [grant_request(kind, id_, "user", person.user_id) for kind, id_ in resources.items()]
            return [person.post(GRANTS, json=request).status_code for request in requests]

        assert tried(eve) == [404] * 3
        ada.grant("output_artifact", shared.artifacts["one"], "user", eve.user_id)
        assert tried(eve) == [404, 404, 403]
        ada.grant("item", shared.items["one"], "user", eve.user_id)
        assert tried(eve) == [404, 403, 403]
        ada.grant("run", shared.run_id, "user", eve.user_id)
        assert tried(eve) == [403] * 3
        assert tried(ada) == [201] * 3


class TestGrants:
    def test_the_answer(self, ada: Person, eve: Person, shared: Shared) -> None:
        grant = ada.grant("run", shared.run_id, "user", eve.user_id)
        assert UUID(grant.pop("grant_id"))
        assert datetime.fromisoformat(grant.pop("created_at")).tzinfo is not None
        assert grant == {
            "resource_type": "run",
            "resource_id": shared.run_id,
            "subject_type": "user",
            "subject_id": eve.user_id,
            "relation": "viewer",
            "created_by": ada.user_id,
            "revoked": False,
        }

    def test_a_request_can_be_repeated(self, ada: Person, eve: Person, shared: Shared) -> None:
        first = ada.grant("run", shared.run_id, "user", eve.user_id)
        again = at_once([lambda: ada.grant("run", shared.run_id, "user", eve.user_id)] * 4)
        assert again == [first] * 4
        ada.delete(f"{GRANTS}/{first['grant_id']}")
        renewed = ada.grant("run", shared.run_id, "user", eve.user_id)
        assert renewed["grant_id"] != first["grant_id"]
        assert readable(eve, shared) == EVERYTHING

    @pytest.mark.parametrize("relation", ["owner", "editor"])
    def test_only_viewers(self, ada: Person, eve: Person, shared: Shared, relation: str) -> None:
        request = grant_request("run", shared.run_id, "user", eve.user_id, relation=relation)
        refused = ada.post(GRANTS, json=request, headers={"Accept": "application/problem+json"})
        assert (refused.status_code, refused.json()["code"]) == (422, "ACCESS.RELATION_REFUSED")

    @pytest.mark.parametrize(
        "change",
        [
            {"subject_id": None},
            {"subject_email": "ada@example.org"},
            {"subject_type": "organization_user", "subject_id": None, "subject_email": "ada@example.org"},
            {"subject_id": "a\x00"},
            {"subject_id": "\ud800"},
            {"resource_id": "4711"},
            {"resource_type": "slide"},
            {"subject_type": "everybody"},
        ],
    )
    def test_malformed_requests(self, ada: Person, shared: Shared, change: dict[str, str]) -> None:
        request = grant_request("run", shared.run_id, "user", ada.user_id) | change
        assert ada.post(GRANTS, content=json.dumps(request)).status_code == 422

    def test_resources_that_are_not_there_look_like_those_of_others(
        self, ada: Person, eve: Person, shared: Shared
    ) -> None:
        token_id = ada.share_token()["share_token_id"]
        for kind, id_ in (
            ("run", shared.run_id),
            ("item", shared.items["one"]),
            ("output_artifact", shared.artifacts["one"]),
            ("share_token", token_id),
        ):
            hidden = eve.post(GRANTS, json=grant_request(kind, id_, "user", eve.user_id))
            absent = eve.post(GRANTS, json=grant_request(kind, str(uuid4()), "user", eve.user_id))
            assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
            assert hidden.status_code == 404

    def test_a_person_by_e_mail(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        colleague = service.person(ada.organization_id)

        def by_email(email: str) -> tuple[int, object]:
            request = grant_request("run", shared.run_id, "user", None, subject_email=email)
            answer = ada.post(GRANTS, json=request)
            return answer.status_code, answer.json()

        status, grant = by_email(colleague.email.upper())
        assert (status, grant["subject_id"]) == (201, colleague.user_id)  # type: ignore[index]
        assert readable(colleague, shared) == EVERYTHING
        # Whether an address belongs to somebody elsewhere cannot be found out.
        assert by_email(eve.email) == by_email("nobody@example.org")
        assert by_email(eve.email)[0] == 404
        service.database.rows("update user_account set disabled_at = now() where id = %s", colleague.user_id)
        assert by_email(colleague.email)[0] == 404

    @pytest.mark.parametrize("kind", ["user", "organization_user", "organization_admin", "share_token"])
    def test_subjects_that_are_not_there(self, ada: Person, eve: Person, shared: Shared, kind: str) -> None:
        strangers_token = eve.share_token()["share_token_id"]
        for subject_id in ("nobody", "", str(uuid4()), strangers_token):
            request = grant_request("run", shared.run_id, kind, subject_id)
            assert ada.post(GRANTS, json=request).status_code == 404

    def test_tokens_that_are_over_are_granted_nothing(self, service: TestService, ada: Person, shared: Shared) -> None:
        revoked, expired = ada.share_token()["share_token_id"], ada.share_token()["share_token_id"]
        ada.delete(f"{TOKENS}/{revoked}")
        service.database.rows("update share_token set expires_at = now() where id = %s", expired)
        for token_id in (revoked, expired):
            request = grant_request("run", shared.run_id, "share_token", token_id)
            assert ada.post(GRANTS, json=request).status_code == 404

    def test_administrators_share_what_is_their_organizations(
        self, service: TestService, ada: Person, eve: Person, shared: Shared
    ) -> None:
        admin = service.person(ada.organization_id, Role.ADMIN)
        operator = service.person(service.organization(), Role.SUPER_ADMIN)
        for person, kind, id_ in ((admin, "item", shared.items["one"]), (operator, "run", shared.run_id)):
            grant = person.grant(kind, id_, "user", eve.user_id)
            assert grant["created_by"] == person.user_id
            assert ada.get(f"{GRANTS}/{grant['grant_id']}").status_code == 200
        assert readable(eve, shared) == EVERYTHING

    def test_revoking(self, ada: Person, eve: Person, shared: Shared) -> None:
        grant = ada.grant("run", shared.run_id, "user", eve.user_id)
        path = f"{GRANTS}/{grant['grant_id']}"
        assert [eve.get(path).status_code, eve.delete(path).status_code] == [404, 404]
        revoked = ada.delete(path)
        assert (revoked.status_code, revoked.json()) == (200, grant | {"revoked": True})
        assert ada.get(path).json() == grant | {"revoked": True}
        assert readable(eve, shared) == set()
        assert ada.delete(path).status_code == 409
        assert ada.delete(f"{GRANTS}/{uuid4()}").status_code == 404

    def test_of_two_revocations_one_is_told_so(self, ada: Person, eve: Person, shared: Shared) -> None:
        path = f"{GRANTS}/{ada.grant('run', shared.run_id, 'user', eve.user_id)['grant_id']}"
        answers = at_once([lambda: ada.delete(path).status_code] * 4)
        assert sorted(answers) == [200, 409, 409, 409]

    def test_lists(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        token_id = ada.share_token()["share_token_id"]
        made = [
            ada.grant("run", shared.run_id, "user", eve.user_id),
            ada.grant("item", shared.items["one"], "organization_user", eve.organization_id),
            ada.grant("run", shared.run_id, "share_token", token_id),
            ada.grant("share_token", token_id, "user", eve.user_id),
        ]
        made[0] = ada.delete(f"{GRANTS}/{made[0]['grant_id']}").json()
        eve.grant("run", eve.submit("e"), "user", ada.user_id)

        def listed(person: Person, query: str = "") -> list[object]:
            answer = person.get(f"{GRANTS}?{query}")
            assert answer.status_code == 200, answer.text
            return list(answer.json())

        assert listed(ada) == made[::-1], "newest first"
        for query, expected in {
            "resource_type=item": [1],
            f"resource_id={shared.run_id}": [2, 0],
            "subject_type=user": [3, 0],
            f"subject_id={token_id}": [2],
            "relation=viewer&relation=owner": [3, 2, 1, 0],
            "relation=owner": [],
            "revoked=true": [0],
            "revoked=false": [3, 2, 1],
            f"resource_type=run&subject_type=user&subject_id={eve.user_id}&revoked=true": [0],
            "sort=created_at": [0, 1, 2, 3],
            "sort=-revoked&sort=created_at": [0, 1, 2, 3],
            "page=2": [],
        }.items():
            assert listed(ada, query) == [made[number] for number in expected], query
        for field in ("grant_id", "resource_type", "resource_id", "subject_type", "subject_id", "relation"):
            assert len(listed(ada, f"sort=-{field}&sort=created_by&page_size=5")) == 4
        assert ada.get(f"{GRANTS}?sort=nonsense").status_code == 422
        assert ada.get(f"{GRANTS}?page_size=4").status_code == 422
        # Of others one sees what they gave on one's own, nothing else.
        assert len(listed(eve)) == 1
        assert listed(service.person(ada.organization_id)) == []
        assert listed(service.person(ada.organization_id, Role.ADMIN)) == made[::-1]
        assert len(listed(service.person(service.organization(), Role.SUPER_ADMIN))) == 5


class TestShareTokens:
    def test_the_secret_is_shown_once_and_kept_nowhere(self, service: TestService, ada: Person) -> None:
        expires_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        token = ada.share_token(expires_at=expires_at)
        secret = token.pop("share_token")
        assert len(secret) >= 43
        assert datetime.fromisoformat(token["expires_at"]) == datetime.fromisoformat(expires_at)
        assert token["revoked"] is False
        path = f"{TOKENS}/{token['share_token_id']}"
        assert ada.get(path).json() == token
        assert ada.get(TOKENS).json() == [token]
        for table in ("share_token", "audit_entry"):
            assert secret not in str(service.database.rows(f"select * from {table}"))

    @pytest.mark.parametrize(
        "expires_at", ["2000-01-01T00:00:00Z", "2999-01-01T00:00:00", "tomorrow", "0000-00-00T00:00:00Z"]
    )
    def test_expiries_that_cannot_be(self, ada: Person, expires_at: str) -> None:
        refused = ada.post(TOKENS, json={"expires_at": expires_at})
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", "expires_at"]

    def test_what_is_over_opens_nothing(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        for end in ("expiry", "revocation", "revocation of the grant"):
            token = ada.share_token()
            grant = ada.grant("run", shared.run_id, "share_token", token["share_token_id"])
            assert readable(eve, shared, token["share_token"]) == EVERYTHING
            if end == "expiry":
                change = "update share_token set expires_at = now() where id = %s"
                service.database.rows(change, token["share_token_id"])
            elif end == "revocation":
                assert ada.delete(f"{TOKENS}/{token['share_token_id']}").json()["revoked"] is True
            else:
                ada.delete(f"{GRANTS}/{grant['grant_id']}")
            assert readable(eve, shared, token["share_token"]) == set(), end

    def test_guesses_open_nothing(self, ada: Person, eve: Person, shared: Shared) -> None:
        token = ada.share_token()
        ada.grant("run", shared.run_id, "share_token", token["share_token_id"])
        secret = token["share_token"]
        for guess in ("", " ", secret[:-1], secret + "A", secret.swapcase(), token["share_token_id"], "é", "�"):
            assert readable(eve, shared, guess) == set(), guess
        assert readable(ada, shared, "nonsense") == EVERYTHING, "a wrong token takes nothing away"

    def test_who_sees_and_revokes_them(self, service: TestService, ada: Person, eve: Person) -> None:
        token_id = ada.share_token()["share_token_id"]
        path = f"{TOKENS}/{token_id}"
        colleague, admin = service.person(ada.organization_id), service.person(ada.organization_id, Role.ADMIN)
        for stranger in (eve, colleague):
            assert [stranger.get(path).status_code, stranger.delete(path).status_code] == [404, 404]
        # One may be granted to see a token; that shows what it is, and never its secret.
        ada.grant("share_token", token_id, "user", eve.user_id)
        assert eve.get(path).json() == ada.get(path).json()
        assert eve.delete(path).status_code == 403
        request = grant_request("share_token", token_id, "user", eve.user_id)
        assert eve.post(GRANTS, json=request).status_code == 403
        assert colleague.get(path).status_code == 404
        assert admin.get(path).status_code == 200
        assert admin.delete(path).status_code == 200
        assert ada.delete(path).status_code == 409

    def test_a_token_opens_no_token(self, ada: Person) -> None:
        token_id = ada.share_token()["share_token_id"]
        request = grant_request("share_token", token_id, "share_token", token_id)
        assert ada.post(GRANTS, json=request).status_code == 422

    def test_lists(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        made = [ada.share_token() for _ in range(3)]
        ids = [token["share_token_id"] for token in made]
        ada.grant("item", shared.items["one"], "share_token", ids[0])
        closed = ada.grant("run", shared.run_id, "share_token", ids[1])
        ada.delete(f"{GRANTS}/{closed['grant_id']}")
        ada.delete(f"{TOKENS}/{ids[2]}")
        foreign = eve.share_token()["share_token_id"]

        def listed(person: Person, query: str = "") -> list[str]:
            answer = person.get(f"{TOKENS}?{query}")
            assert answer.status_code == 200, answer.text
            return [token["share_token_id"] for token in answer.json()]

        assert listed(ada) == ids[::-1]
        assert listed(ada, f"run_id={shared.run_id}") == ids[:1], "what opens it now, be it in part"
        assert listed(ada, "revoked=true") == ids[2:]
        assert listed(ada, "revoked=false&sort=created_at") == ids[:2]
        assert listed(ada, f"created_by={eve.user_id}") == []
        assert listed(ada, "page_size=5&page=2") == []
        assert ada.get(f"{TOKENS}?sort=share_token").status_code == 422
        assert listed(eve) == [foreign]
        assert listed(service.person(ada.organization_id, Role.ADMIN)) == []
        operator = service.person(service.organization(), Role.SUPER_ADMIN)
        assert set(listed(operator)) == {*ids, foreign}
        assert listed(operator, f"created_by={eve.user_id}") == [foreign]


class TestRecords:
    def test_everything_is_audited(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        token_id = ada.share_token()["share_token_id"]
        grant = ada.grant("run", shared.run_id, "share_token", token_id)
        ada.grant("run", shared.run_id, "share_token", token_id)
        ada.delete(f"{GRANTS}/{grant['grant_id']}")
        ada.delete(f"{TOKENS}/{token_id}")
        rows = service.database.rows(
            "select action, subject, user_id, organization_id, details from audit_entry "
            "where action ~ '^(grant|share_token)' order by number"
        )
        assert [(row.action, row.subject) for row in rows] == [
            ("share_token.created", token_id),
            ("grant.created", grant["grant_id"]),
            ("grant.revoked", grant["grant_id"]),
            ("share_token.revoked", token_id),
        ]
        assert {(row.user_id, row.organization_id) for row in rows} == {(ada.user_id, ada.organization_id)}
        assert rows[1].details["resource_id"] == shared.run_id
        assert rows[1].details["subject_id"] == token_id

    def test_the_wall_of_the_database(self, service: TestService, ada: Person, eve: Person, shared: Shared) -> None:
        """Whatever a query forgets: a caller is shown grants to them, and can change none but their organization's."""
        token = ada.share_token()
        for subject in (("user", eve.user_id), ("share_token", token["share_token_id"])):
            ada.grant("run", shared.run_id, *subject)
        token_hash = service.database.rows("select encode(secret_hash, 'hex') as hex from share_token")[0].hex

        with service.database.connect("service") as connection:

            def seen(organization_id: str, user_id: str = "", token_hash: str = "") -> tuple[int, int]:
                connection.execute(
                    "select set_config('coverslip.organization', %s, false) as a, "
                    "set_config('coverslip.user', %s, false) as b, "
                    "set_config('coverslip.share_token', %s, false) as c, "
                    "set_config('coverslip.reach', 'organization', false) as d",
                    (organization_id, user_id, token_hash),
                )
                count = "select (select count(*) from access_grant) as g, (select count(*) from share_token) as t"
                (row,) = connection.execute(count).fetchall()
                return row.g, row.t

            assert seen(ada.organization_id) == (2, 1)
            assert seen(eve.organization_id) == (0, 0)
            assert seen(eve.organization_id, eve.user_id, token_hash) == (2, 1)
            assert seen(eve.organization_id, "", token_hash[:-1]) == (0, 0)
            assert seen(eve.organization_id, eve.user_id) == (1, 0)
            assert connection.execute("update access_grant set revoked_at = now()").rowcount == 0
            assert connection.execute("select from run").fetchall() == []
            for refused in ("delete from access_grant", "update access_grant set subject_id = 'me'"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(refused)


KINDS = st.sampled_from([ResourceType.RUN, ResourceType.ITEM, ResourceType.OUTPUT_ARTIFACT])
IDS = st.integers(0, 3).map(lambda number: UUID(int=number))


@given(resources=st.lists(st.tuples(KINDS, IDS), max_size=5), item_id=IDS, artifact_id=IDS)
def test_what_lies_in_what_grants_open(
    resources: list[tuple[ResourceType, UUID]], item_id: UUID, artifact_id: UUID
) -> None:
    run_id = UUID(int=9)
    parts = opened_by(run_id, resources)
    whole = any(kind is ResourceType.RUN for kind, _ in resources)
    item = whole or (ResourceType.ITEM, item_id) in resources
    assert Place(run_id).lies_in(parts) == whole
    assert Place(run_id, item_id).lies_in(parts) == item
    artifact = item or (ResourceType.OUTPUT_ARTIFACT, artifact_id) in resources
    assert Place(run_id, item_id, artifact_id).lies_in(parts) == artifact
    assert parts.has_items == (whole or any(kind is ResourceType.ITEM for kind, _ in resources))
    assert Place(run_id, item_id, artifact_id).lies_in(RunParts(run_id))


@pytest.mark.parametrize("role", Role)
def test_no_two_roles_or_organizations_share_their_subjects(role: Role) -> None:
    subjects = subjects_of(Principal("ada", "here", role))
    assert (SubjectType.USER, "ada") in subjects
    assert ((SubjectType.ORGANIZATION_ADMIN, "here") in subjects) == (role is not Role.MEMBER)
    assert not set(subjects) & set(subjects_of(Principal("bob", "there", role)))


@given(
    kind=st.sampled_from(SubjectType), subject_id=st.none() | st.just("x"), subject_email=st.none() | st.just("a@b.c")
)
def test_a_subject_is_named_once(kind: SubjectType, subject_id: str | None, subject_email: str | None) -> None:
    request = GrantCreateRequest.model_validate(
        grant_request("run", str(uuid4()), kind, subject_id, subject_email=subject_email)
    )
    named_once = (subject_id is None) != (subject_email is None)
    allowed = named_once and (subject_email is None or kind is SubjectType.USER)
    assert (subject_fault(request) is None) == allowed


def test_where_a_slide_came_from_is_not_shared(ada: Person, eve: Person) -> None:
    url = "https://slides.example/s.svs?signature=secret"
    bucket = {"bucket_name": "b", "signed_download_url": url}
    items = [item_request("a", url=url, custom_metadata={"sdk": {"platform_bucket": bucket}, "case": 7})]
    items += [item_request(str(n), custom_metadata=odd) for n, odd in enumerate(({"sdk": []}, {"sdk": 1}, None))]
    run_id = ada.submit(items=items)
    ada.post(GRANTS, json=grant_request("run", run_id, "user", eve.user_id)).raise_for_status()
    (own, *_), (seen, *others) = ada.items(run_id), eve.items(run_id)
    assert own["custom_metadata"]["sdk"]["platform_bucket"] == bucket
    assert seen["custom_metadata"] == {"sdk": {"platform_bucket": {"bucket_name": "b"}}, "case": 7}
    assert [item["custom_metadata"] for item in others] == [{"sdk": []}, {"sdk": 1}, None]
    # Nor can it be guessed letter by letter.
    guess = '$.sdk.platform_bucket.signed_download_url ? (@ starts with "https")'
    path, params = f"/api/v1/runs/{run_id}/items", {"custom_metadata": guess}
    assert len(ada.get(path, params=params).json()) == 1
    assert eve.get(path, params=params).json() == []
