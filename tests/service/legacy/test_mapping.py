"""Old names for today's things: every state, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.legacy import ApplicationRunStatus, ItemStatus
from coverslip.contract.runs import RunTerminationReason
from coverslip.service.legacy.mapping import (
    item_endings,
    item_status,
    parse_version_id,
    run_status,
    sort_fields,
    tolerant_schema,
    version_id,
)
from coverslip.service.lifecycle import State
from coverslip.service.runs.rules import RunStatus, Statistics

USER, SYSTEM, DONE = (
    RunTerminationReason.CANCELED_BY_USER,
    RunTerminationReason.CANCELED_BY_SYSTEM,
    RunTerminationReason.ALL_ITEMS_PROCESSED,
)


@pytest.mark.parametrize(
    ("state", "ending", "statistics", "status"),
    [
        (State.PENDING, None, Statistics(pending=2), "RECEIVED"),
        (State.PROCESSING, None, Statistics(pending=1, processing=1), "SCHEDULED"),
        (State.PROCESSING, None, Statistics(processing=1, succeeded=1), "RUNNING"),
        (State.PROCESSING, None, Statistics(processing=1, user_error=1), "RUNNING"),
        # Between two items nothing is being processed for a moment.
        (State.PENDING, None, Statistics(pending=1, succeeded=1), "RUNNING"),
        (State.TERMINATED, DONE, Statistics(succeeded=2), "COMPLETED"),
        (State.TERMINATED, DONE, Statistics(succeeded=1, user_error=1), "COMPLETED_WITH_ERROR"),
        (State.TERMINATED, DONE, Statistics(system_error=2), "COMPLETED_WITH_ERROR"),
        (State.TERMINATED, USER, Statistics(skipped=2), "CANCELED_USER"),
        (State.TERMINATED, USER, Statistics(succeeded=1, skipped=1), "CANCELED_USER"),
        (State.TERMINATED, SYSTEM, Statistics(succeeded=1, skipped=1), "CANCELED_SYSTEM"),
    ],
)
def test_run_status(state: State, ending: RunTerminationReason | None, statistics: Statistics, status: str) -> None:
    assert run_status(RunStatus(statistics, state, ending, None, None)) is ApplicationRunStatus(status)


@pytest.mark.parametrize(
    ("ending", "run_ending", "status"),
    [
        (None, None, "PENDING"),
        ("SUCCEEDED", None, "SUCCEEDED"),
        ("USER_ERROR", DONE, "ERROR_USER"),
        ("SYSTEM_ERROR", DONE, "ERROR_SYSTEM"),
        ("SKIPPED", USER, "CANCELED_USER"),
        ("SKIPPED", SYSTEM, "CANCELED_SYSTEM"),
        ("SUCCEEDED", USER, "SUCCEEDED"),
    ],
)
def test_item_status(ending: str | None, run_ending: RunTerminationReason | None, status: str) -> None:
    reason = ItemTerminationReason(ending) if ending else None
    assert item_status(reason, run_ending) is ItemStatus(status)


@given(st.sets(st.sampled_from(ItemStatus)), st.sampled_from([None, *RunTerminationReason]))
def test_filters_find_what_has_that_status(statuses: set[ItemStatus], run_ending: RunTerminationReason | None) -> None:
    endings = item_endings(statuses, run_ending)
    for ending in (None, *ItemTerminationReason):
        assert (ending in endings) == (item_status(ending, run_ending) in statuses)


def test_version_ids() -> None:
    assert version_id("he-tme", "1.2.0") == "he-tme:v1.2.0"
    assert parse_version_id("he-tme:v1.2.0") == ("he-tme", "1.2.0")
    assert parse_version_id("a:v1:v1.0.0-beta.1") == ("a:v1", "1.0.0-beta.1")
    for wrong in ("he-tme", "he-tme:1.2.0", ":v1.2.0", "he-tme:v1.2", "he-tme:v", ""):
        assert parse_version_id(wrong) is None


def test_sort_fields() -> None:
    names = {"triggered_at": ("submitted_at",), "application_version_id": ("application_id", "version_number")}
    given_fields = ["-triggered_at", " application_version_id", "unknown"]
    translated = ["-submitted_at", "+application_id", "+version_number", "+unknown"]
    assert sort_fields(given_fields, names) == translated
    assert sort_fields(None, names) == []


def test_a_closed_schema_lets_the_old_clients_pass() -> None:
    closed = {"type": "object", "properties": {"specimen": {"type": "object"}}, "additionalProperties": False}
    shown = tolerant_schema(closed)
    assert shown["properties"] == {"staining_method": {}, "specimen": {"type": "object"}}
    assert shown["additionalProperties"] is False
    open_schema = {"type": "object"}
    assert tolerant_schema(open_schema) is open_schema
