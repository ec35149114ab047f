"""Requests drawn from our own documents: the answers are those that the documents declare, never a 5xx."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from coverslip.service.access.principal import Role
from harness.service import TestService

CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]

DOCUMENTS = {"/api/v1/openapi.json": "/api", "/api/coverslip/v1/openapi.json": "/api/coverslip/v1"}
"""Each document, and where its paths begin."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_api_answers_as_documented(service: TestService, document: str, mode: GenerationMode) -> None:
    base = DOCUMENTS[document]
    person = service.person(service.organization(), Role.ADMIN)
    finished = person.submit("slide/1")
    service.worker().finish_all()
    artifact_id = person.items(finished)[0]["output_artifacts"][0]["output_artifact_id"]
    known = {
        "run_id": [finished, person.submit("slide/1")],
        "external_id": ["slide%2F1"],
        "artifact_id": [artifact_id],
        "application_id": ["test-app"],
        "version": ["1.0.0"],
    }
    with_known = st.booleans().flatmap(
        lambda known_: st.fixed_dictionaries(
            {name: st.sampled_from(values) for name, values in known.items()} if known_ else {}
        )
    )
    schema = schemathesis.openapi.from_dict(person.get(document).json())
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(
            max_examples=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
            derandomize=True,
        )
        @given(case=operation.as_strategy(generation_mode=mode), values=with_known)
        def check(case: Case, values: dict[str, Any]) -> None:
            for name, value in values.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = value
            case.call_and_validate(
                base_url=service.url + base,
                headers={"Authorization": f"Bearer {person.token}"},
                checks=CHECKS,
                allow_redirects=False,
            )

        try:
            check()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "only an operation that takes nothing cannot be asked wrongly"
