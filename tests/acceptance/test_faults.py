"""Rounds of the fault suite are clean, and the pages tell what its ledger holds."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from faults import ledger
from faults.finding import Kind
from faults.plan import ITEMS, ORGANIZATIONS, Behaviour, Ending, Fault, plan_of
from hypothesis import given
from hypothesis import strategies as st
from tests.acceptance.conftest import REPOSITORY

LIMIT_S = 1800


@pytest.mark.process
@pytest.mark.timeout(LIMIT_S + 60)
def test_rounds_are_clean() -> None:
    command = [sys.executable, "-m", "faults", "--rounds", "5", "--no-record"]
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=LIMIT_S, check=False, stdin=subprocess.DEVNULL
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("lost 0, double 0, stuck 0, wrong 0, leftovers 0\n")


@pytest.mark.parametrize("page", ledger.pages(), ids=lambda page: page.name)
def test_pages_tell_what_the_ledger_holds(page: Path) -> None:
    assert page.read_text() == ledger.pages()[page]


@given(st.integers(0, 2**32))
def test_a_seed_always_gives_the_same_round_of_everything(seed: int) -> None:
    plan = plan_of(seed)
    assert plan == plan_of(seed)
    items = [item for run in plan.runs for item in run.items]
    assert len({item.external_id for item in items}) == len(items) == ITEMS
    assert {run.organization for run in plan.runs} == set(range(ORGANIZATIONS))
    assert {run.ending for run in plan.runs} == set(Ending)
    assert {item.behaviour for item in items} == set(Behaviour)
    assert {strike.fault for strike in plan_of(seed, on_ray=True).strikes} == set(Fault)
    assert {strike.fault for strike in plan.strikes} == set(Fault) - {Fault.RAY_NODE}


@given(st.integers(0, 2**32))
def test_only_what_is_ended_from_outside_holds_an_item_that_hangs(seed: int) -> None:
    for run in plan_of(seed).runs:
        hangs = Counter(item.behaviour for item in run.items)[Behaviour.HANG]
        assert hangs == (run.ending is not Ending.PROCESSED)


def test_the_readme_tells_of_the_rounds_since_the_last_that_was_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = {
        "date": "2026-01-01",
        "revision": "abc",
        "items": 200,
        "faults": dict.fromkeys(Fault, 1),
        "found": dict.fromkeys(Kind, 0),
        "verdict": "clean",
    }
    not_clean = clean | {"found": clean["found"] | {"lost": 1}, "verdict": "not clean"}
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "ledger.json")
    for entries, told in (
        ([clean], "1 rounds, 200 slides, 6 processes killed, 8 other faults: lost 0,"),
        ([clean, not_clean], "1 rounds, 200 slides, 6 processes killed, 8 other faults: lost 1,"),
        ([clean, not_clean, clean, clean], "2 rounds, 400 slides, 12 processes killed, 16 other faults: lost 0,"),
    ):
        ledger.LEDGER.write_text(json.dumps([entry | {"seed": 1} for entry in entries]))
        pages = {page.name: text for page, text in ledger.pages().items()}
        assert told in pages["README.md"]
        assert f"In all: {ledger.total(ledger.read())}." in pages["quality.md"]
