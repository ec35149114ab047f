"""Requests drawn from our own documents, by users of two organizations and by nobody.

The answers are those that the documents declare, never a 5xx, and hold nothing of another tenant.
"""

import random
import re
from collections.abc import Iterator, MutableMapping
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from requests import Session
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coverslip.contract.access import ResourceType
from harness.fuzzing import EFFORT, bounds
from harness.openapi import METHODS
from harness.people import grant_request, item_request, run_request
from harness.service import TestService
from harness.tenants import Tenants

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

DOCUMENTS = {
    "/api/v1/openapi.json": "/api",
    "/api/coverslip/v1/openapi.json": "/api/coverslip/v1",
    "/legacy/api/v1/openapi.json": "/legacy/api",
}
"""Each document, and where its paths begin."""

FIELDS = {
    "application_run_id": ("run_id",),
    "resource_id": ("run_id", "item_id", "artifact_id", "share_token_id"),
    "subject_id": ("user_id", "organization_id", "share_token_id"),
    "subject_email": ("email",),
    "submitted_by": ("user_id",),
    "created_by": ("user_id",),
    "for_organization": ("organization_id",),
    "item_id__in": ("item_id",),
    "external_id__in": ("external_id",),
    "reference__in": ("external_id",),
    "download_url": ("slide_url",),
}
"""What may stand in fields that are not called by what stands in them."""

SUBJECTS = {
    "user": "user_id",
    "organization_user": "organization_id",
    "organization_admin": "organization_id",
    "share_token": "share_token_id",
}

CATALOGUE = {
    "application_id": "test-app",
    "version": "1.0.0",
    "name": "model-card.md",
    "application_version_id": "test-app:v1.0.0",
}

UNREADABLE = "NUL character"
"""What is wrong with requests that are refused before anybody asks who sent them."""

HOLDS_SLASHES = ("external_id", "object_key")
"""Parameters of paths; documents cannot say so."""

NEVER_SENT = "https://127.0.0.1:9/hook"
"""For webhooks: no service sends to its own machine, and no test anywhere else."""


def possessions(tenants: Tenants) -> list[dict[str, str]]:
    """For every person two sets of what they have, each with the ids of things that belong together."""
    sets = []
    for finished in (True, False):
        for person in tenants.people:
            webhook = tenants.webhook(person)
            run = tenants.submit(person)
            token, session = tenants.share_token(person), tenants.session(person)
            tenants.deliveries(webhook)
            things = [run, *tenants.parts(run, "item", "artifact")[:2], *tenants.upload(person), token, session]
            things += [tenants.bucket_key(person), webhook, *tenants.parts(webhook, "delivery")[:1]]
            things.append(tenants.share(run, "share_token", token.id))
            ids = {name: value for thing in things for name, value in thing.ids.items()}
            ids |= {"share_token": token.secret, "refresh_token": session.secret}
            ids |= {"user_id": person.user_id, "organization_id": person.organization_id, "email": person.email}
            sets.append(ids | CATALOGUE)
        if finished:
            tenants.service.worker().finish_all()
    return sets


def put_known(case: Case, known: list[dict[str, str]], own: list[dict[str, str]], chance: random.Random) -> None:
    """Put ids of things that are there in place of those that were made up, or of some of them.

    In most cases they belong together, and in half of those to the caller's organization, so that requests reach what
    they name.
    """
    together = chance.choice([chance.choice(known), chance.choice(own or known), None])
    share = chance.choice([0, 0.5, 1, 1])

    def put(holder: MutableMapping[str, Any], name: str, *, quoted: bool = False) -> None:
        ids = together or chance.choice(known)
        value = ids.get(chance.choice(FIELDS.get(name, (name,))))
        if value is not None and chance.random() < share:
            holder[name] = quote(value, safe="") if quoted else [value] if name.endswith("__in") else value

    def put_below(part: Any) -> None:
        for name, value in list(part.items()) if isinstance(part, dict) else ():
            put(part, name)
            if name == "url" and str(value).startswith("http"):
                part[name] = NEVER_SENT
        for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            put_below(value)

    for name in case.path_parameters:
        put(case.path_parameters, name, quoted=True)
    for parameter in case.operation.query:
        if parameter.name in case.query or chance.random() < 0.2:
            put(case.query, parameter.name)
    operation = case.operation.definition.raw["operationId"]
    sensible = sensible_body(operation, together or chance.choice(known), known, chance)
    if sensible is not None and chance.random() < 0.5:
        case.body = sensible
    else:
        put_below(case.body)


def sensible_body(operation: str, ids: dict[str, str], known: list[dict[str, str]], chance: random.Random) -> Any:
    """A body that keeps the rules which schemas cannot say; None where there are none."""
    match operation:
        case "create_run_v1_runs_post":
            return run_request() | {"items": [item_request("fuzzed", url=ids["slide_url"])]}
        case "create_application_run_v1_runs_post":
            inputs = item_request("fuzzed", url=ids["slide_url"])["input_artifacts"]
            version = CATALOGUE["application_version_id"]
            return {"application_version_id": version, "items": [{"reference": "fuzzed", "input_artifacts": inputs}]}
        case "create_grant_v1_access_grants_post":
            subject = chance.choice(known)
            kind, resource = chance.choice(list(zip(ResourceType, FIELDS["resource_id"], strict=True)))
            whom, name = chance.choice(list(SUBJECTS.items()))
            return grant_request(kind, ids[resource], whom, subject[name])
    return None


@pytest.fixture
def sessions() -> Iterator[list[Session]]:
    """A connection for each caller."""
    made = [Session() for _ in range(5)]
    for session in made:
        session.trust_env = False
    yield made
    for session in made:
        session.close()


@pytest.mark.timeout(120 * EFFORT)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_api_answers_as_documented(service: TestService, sessions: list[Session], document: str) -> None:
    tenants = Tenants(service)
    known = possessions(tenants)
    base = DOCUMENTS[document]
    schema = schemathesis.openapi.from_dict(tenants.people[0].get(document).json())
    every = [result.ok() for result in schema.get_all_operations()]
    # Deletions last, so that the others find something.
    for operation in sorted(every, key=lambda operation: operation.method == "delete"):
        for mode in GenerationMode:

            @bounds(16)
            @given(operation.as_strategy(generation_mode=mode), st.integers(0, 4), st.integers(0, 2**32))
            def check(case: Case, caller: int, seed: int) -> None:
                chance = random.Random(seed)
                person = tenants.people[caller] if caller < 4 else None
                own = [ids for ids in known if person and ids["organization_id"] == person.organization_id]
                put_known(case, known, own, chance)
                token = person.token if person is not None else chance.choice(["", "x", tenants.people[0].token[:-9]])
                answer = case.call_and_validate(
                    base_url=service.url + base,
                    session=sessions[caller],
                    headers={"Authorization": f"Bearer {token}"},
                    checks=CHECKS,
                    allow_redirects=False,
                )
                if person is None:
                    assert answer.status_code == 401 or UNREADABLE in answer.text, answer.text
                    return
                said = f"{answer.request.url} {answer.request.body!r}"
                told = f"{answer.text} {answer.headers.get('location', '')}"
                secret = case.query.get("share_token", "")
                assert tenants.leaks(person, said, told, secret if isinstance(secret, str) else "") == set()
                if answer.status_code == 201:
                    tenants.wrote(person, said)
                    if "grant_id" in (made := answer.json()):
                        tenants.granted(made)

            try:
                check()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, "only an operation that takes nothing cannot be asked wrongly"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_not_documented_is_not_there(service: TestService, document: str) -> None:
    person = service.member()
    paths = person.get(document).raise_for_status().json()["paths"]
    for path in paths:
        address = path.replace("{", "").replace("}", "")
        declared = {
            method
            for template, methods in paths.items()
            for method in methods.keys() & set(METHODS)
            if _addresses(template).fullmatch(address)
        }
        for method in set(METHODS) - declared:
            answer = person.request(method, DOCUMENTS[document] + address)
            assert answer.status_code == 405, (method, path, answer.text)
            allowed = {each.lower() for each in answer.headers["allow"].split(", ")}
            assert allowed - {"head"} == declared, (method, path)


def _addresses(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    parts[1::2] = [".+" if name in HOLDS_SLASHES else "[^/]+" for name in parts[1::2]]
    return re.compile("".join(parts))
