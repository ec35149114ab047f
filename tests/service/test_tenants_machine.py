"""Four users of two organizations make, share, read, change and revoke, in any order, whatever anybody has made.

`Tenants` knows who owns and who was granted what. From that follows whether a request is answered, refused with 403 or
with 404, and which ids and marks may stand in an answer.
"""

import random
import re
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from coverslip.service.access.principal import Role
from harness.fuzzing import EFFORT, bounds
from harness.people import Person, grant_request
from harness.service import TestService
from harness.tenants import SHARABLE, Grant, Tenants, Thing

DOCUMENTS = {
    "/api/v1/openapi.json": "/api",
    "/api/coverslip/v1/openapi.json": "/api/coverslip/v1",
    "/legacy/api/v1/openapi.json": "/legacy/api",
}

KINDS = {
    "run_id": "run",
    "application_run_id": "run",
    "external_id": "item",
    "item_id": "item",
    "artifact_id": "artifact",
    "grant_id": "grant",
    "share_token_id": "share_token",
    "upload_id": "upload",
    "number": "upload",
    "object_key": "object",
    "access_key_id": "bucket_key",
    "webhook_id": "webhook",
    "delivery_id": "delivery",
    "session_id": "session",
    "organization_id": "organization",
    "user_id": "user",
}
"""What the last parameter of a path names."""

FOR_EVERYBODY = re.compile(r"/v1/(applications|me)")
"""The catalogue, and who one is."""

FOR_OPERATORS = {"set_organization_quotas", "set_prices", "set_scheduling_policy"}
"""What takes a super administrator, and there is none here."""

PARTLY = {"list_run_items_v1_runs__run_id__items_get", "read_progress"}
"""Of a run these show the items that the caller sees, so they are there for whoever sees one."""

RESOURCES = {"run": "run", "item": "item", "artifact": "output_artifact", "share_token": "share_token"}
SUBJECTS = ("user", "organization_user", "organization_admin", "share_token")

MAKING = ("submit", "share_token", "upload", "webhook", "session", "bucket_key")

STEPS = {"read": 6, "use_grant": 6, "share": 4, "browse": 3, "change": 3, "make": 1, "work": 0.5, "let_expire": 0.5}
"""What happens, and how often in proportion."""


class Operation:
    """An operation of a document, as the oracle needs it."""

    def __init__(self, prefix: str, described: Any) -> None:
        self.described = described
        self.name: str = described.definition.raw["operationId"]
        self.method: str = described.method.upper()
        self.path: str = prefix + described.path
        self.is_legacy = prefix == "/legacy/api"
        self.reads = self.method == "GET"
        self.parameters = [parameter.name for parameter in described.query]
        names = re.findall(r"\{(\w+)\}", self.path)
        self.kind = KINDS[names[-1]] if names else ""
        """Of what it is about; empty of lists, and of what makes something new."""

    def address(self, thing: Thing) -> str:
        """Its path for a thing."""
        ids = thing.ids | {"application_run_id": thing.ids.get("run_id", "")}
        return re.sub(r"\{(\w+)\}", lambda name: quote(ids[name[1]], safe=""), self.path)

    def body(self, mark: str) -> Any:
        """A request that leaves a mark, where one can be left."""
        if self.name.endswith("custom_metadata_put"):
            return {"custom_metadata": {"mark": mark}}
        bodies: dict[str, Any] = {
            "change_webhook": {"description": mark},
            "sign_part": {"checksum_base64_crc32c": "AAAAAA=="},
            "set_organization_quotas": {},
            "set_scheduling_policy": {},
            "set_user_quotas": {},
            "set_prices": {"prices": []},
        }
        return bodies.get(self.name)


class Sharing(RuleBasedStateMachine):
    """Each step draws one number, from which all its choices follow: what to do, who does it, and with what."""

    service: TestService
    operations: list[Operation]

    @initialize()
    def begin(self) -> None:
        """Everybody has one of everything; the runs of one organization are finished."""
        self.tenants = Tenants(self.service)
        self.worker = self.service.worker()
        self.taken = 0
        for number, person in enumerate(self.tenants.people):
            for what in MAKING:
                getattr(self.tenants, what)(person)
            if person.role is Role.ADMIN:
                self.tenants.webhook(person, "ORGANIZATION")
            if number == 1:
                self.worker.finish_all()

    @rule(seed=st.integers(0, 2**32 - 1))
    def step(self, seed: int) -> None:
        """Anything. One rule, as some of several would be left out of each example; and no step twice the same."""
        self.taken += 1
        chance = random.Random(f"{seed} {self.taken}")
        (name,) = chance.choices(list(STEPS), list(STEPS.values()))
        note(name)
        getattr(self, name)(chance)

    def _pick(self, chance: random.Random, *kinds: str) -> Thing:
        """One of the things of these kinds, any kind as often as any other."""
        things = [thing for thing in self.tenants.things if not kinds or thing.kind in kinds]
        kind = chance.choice(sorted({thing.kind for thing in things}))
        return chance.choice([thing for thing in things if thing.kind == kind])

    def _caller(self, chance: random.Random, thing: Thing) -> Person:
        """Anybody, and rather the owner of a thing."""
        return chance.choice([*self.tenants.people, thing.owner])

    # Making

    def make(self, chance: random.Random) -> None:
        getattr(self.tenants, chance.choice(MAKING))(chance.choice(self.tenants.people))

    def work(self, chance: random.Random) -> None:
        self.worker.finish_all()
        for webhook in [thing for thing in self.tenants.things if thing.kind == "webhook" and not thing.gone]:
            self.tenants.deliveries(webhook)

    def let_expire(self, chance: random.Random) -> None:
        token = self._pick(chance, "share_token")
        long_ago = "update share_token set expires_at = now() - interval '1 second' where id = %s"
        self.service.database.rows(long_ago, token.id)
        token.revoked = True

    # Sharing

    def share(self, chance: random.Random) -> None:
        """Share something with the owner of another thing, their organization, or with a token."""
        tenants, resource, subject_type = self.tenants, self._pick(chance, *RESOURCES), chance.choice(SUBJECTS)
        person = self._caller(chance, resource)
        subject, valid = self._pick(chance), True
        if subject_type == "share_token":
            tokens = [thing for thing in tenants.things if thing.kind == "share_token"]
            subject = chance.choice([chance.choice(tokens), *(token for token in tokens if token.owner is person)])
            subject_id = subject.id
            valid = tenants.changes(person, subject) and not subject.revoked
        else:
            subject_id = subject.owner.user_id if subject_type == "user" else subject.owner.organization_id
        resource_id = resource.ids.get("item_id", resource.id)
        request = grant_request(RESOURCES[resource.kind], resource_id, subject_type, subject_id)
        answer = person.post("/api/v1/access/grants", json=request)
        note(f"{person.user_id}: {request} {answer.status_code}")
        if subject_type == resource.kind == "share_token":
            expected = 422
        elif not tenants.changes(person, resource):
            expected = 403 if tenants.sees(person, resource) else 404
        else:
            expected = 201 if valid else 404
        assert answer.status_code == expected, answer.text
        assert tenants.leaks(person, str(request), answer.text) == set()
        if expected == 201:
            tenants.granted(answer.json())

    # Asking

    def read(self, chance: random.Random) -> None:
        """Read anything there is of a thing, perhaps showing a share token."""
        operation = self._operation(chance, reads=True)
        thing = self._pick(chance, operation.kind)
        secret = chance.choice(["", self._pick(chance, "share_token").secret])
        self._ask(self._caller(chance, thing), operation, thing, secret)

    def change(self, chance: random.Random) -> None:
        """Change a thing, or delete it."""
        operation = self._operation(chance, reads=False)
        thing = self._pick(chance, operation.kind)
        self._ask(self._caller(chance, thing), operation, thing)

    def use_grant(self, chance: random.Random) -> None:
        """Read or change what is shared, or a part of it; with the share token, if it is shared with one."""
        grants = [thing for thing in self.tenants.things if isinstance(thing, Grant)]
        if not grants:
            return
        grant = chance.choice(grants)
        thing = chance.choice([grant.resource, *self.tenants.parts(grant.resource, "item", "artifact")])
        secret = "".join(token.secret for token in self.tenants.things if token.id == grant.subject_id)
        operation = chance.choice([operation for operation in self.operations if operation.kind == thing.kind])
        self._ask(chance.choice(self.tenants.people), operation, thing, secret)

    def _operation(self, chance: random.Random, *, reads: bool) -> Operation:
        """One of those on something that there is; of each kind of things are some from the beginning but grants."""
        there = {thing.kind for thing in self.tenants.things}
        return chance.choice([each for each in self.operations if each.kind in there and each.reads is reads])

    def _ask(self, person: Person, operation: Operation, thing: Thing, secret: str = "") -> None:
        tenants, mark = self.tenants, self.tenants.mark()
        body = operation.body(mark)
        secret = secret if "share_token" in operation.parameters else ""
        params = {"share_token": secret} if secret else {}
        answer = person.request(operation.method, operation.address(thing), params=params, json=body)
        self._judge(person, operation, thing, answer, secret)
        if answer.is_success:
            if mark in str(body):
                tenants.write(thing, mark)
            if operation.method == "DELETE":
                thing.revoked = thing.kind in ("grant", "share_token")
                thing.deleted = thing.kind not in ("grant", "share_token", "run")

    def _judge(self, person: Person, operation: Operation, thing: Thing, answer: Any, secret: str) -> None:
        """Who may do it is answered; who only sees the thing is told 403; for everybody else it is not there."""
        tenants = self.tenants
        note(f"{person.user_id}: {answer.request.method} {answer.request.url} {answer.status_code}")
        about = f"{person.user_id}: {operation.method} {operation.path} of {thing.owner.user_id}: {answer.text}"
        places = [thing]
        if operation.name in PARTLY:
            places += tenants.parts(thing, "item")
        elif operation.kind == "item" and not operation.reads:
            # Who sees a part of a run may know that its other items are not theirs to change.
            places += tenants.parts(thing.part_of, "item") if thing.part_of else []
        # Version 1.0.0 knows of no grants, but whoever sees a run may know that it is not theirs to change.
        if operation.is_legacy and operation.reads:
            seen = tenants.changes(person, thing)
        else:
            seen = any(tenants.sees(person, place, secret) for place in places)
        if thing.gone:
            expected = 404
        elif thing.kind in ("organization", "user"):
            colleague = person.organization_id == thing.owner.organization_id
            administers = person.role is Role.ADMIN and operation.name not in FOR_OPERATORS
            expected = None if colleague and administers else 403 if colleague else 404
        elif tenants.changes(person, thing) or (operation.reads and seen):
            expected = None
        else:
            expected = 403 if seen and thing.kind in SHARABLE else 404
        if expected is not None:
            assert answer.status_code == expected, about
        elif operation.kind != "artifact":  # which are not there before they are written
            assert answer.status_code not in (401, 403, 404), about
        self._check(person, operation, answer, f"{answer.request.url} {answer.request.content!r}", secret)

    def _check(self, person: Person, operation: Operation, answer: Any, said: str, secret: str = "") -> None:
        """The answer is as documented, and tells nothing of what the caller may not know."""
        operation.described.validate_response(answer)
        declared = operation.described.definition.raw["responses"]
        assert str(answer.status_code) in declared, (operation.path, answer.status_code)
        told = f"{answer.text} {answer.headers.get('location', '')}"
        assert self.tenants.leaks(person, said, told, secret) == set(), (operation.path, answer.text)

    def browse(self, chance: random.Random) -> None:
        """Read a list, perhaps narrowed to what has to do with a thing."""
        about = self._pick(chance)
        operation = chance.choice([each for each in self.operations if not each.kind and each.reads])
        person, owner = self._caller(chance, about), about.owner
        values = about.ids | {
            "resource_id": about.ids.get("item_id", about.id),
            "subject_id": owner.user_id,
            "created_by": owner.user_id,
            "submitted_by": owner.user_id,
            "organization_id": owner.organization_id,
            "for_organization": owner.organization_id,
            "custom_metadata": f'$.mark ? (@ == "{about.mark}")',
        }
        known = sorted(values.keys() & set(operation.parameters))
        query = {name: values[name] for name in known if chance.random() < 0.3}
        if about.kind not in RESOURCES:  # whose ids need not be UUIDs
            query.pop("resource_id", None)
        answer = person.get(operation.path, params=query)
        note(f"{person.user_id}: {answer.request.url} {answer.status_code}")
        own = person.role is Role.ADMIN and person.organization_id == owner.organization_id
        assert answer.status_code == (403 if "for_organization" in query and not own else 200), (query, answer.text)
        self._check(person, operation, answer, str(answer.request.url))


@pytest.mark.timeout(240 * EFFORT)
def test_nobody_learns_or_changes_what_is_not_theirs_in_any_order(service: TestService) -> None:
    person = service.member()
    operations = [
        Operation(prefix, result.ok())
        for document, prefix in DOCUMENTS.items()
        for result in schemathesis.openapi.from_dict(person.get(document).json()).get_all_operations()
        if not FOR_EVERYBODY.match(result.ok().path)
    ]

    class SharingInThisService(Sharing):
        pass

    SharingInThisService.service = service
    SharingInThisService.operations = operations
    run_state_machine_as_test(SharingInThisService, settings=bounds(6, stateful_step_count=200))
