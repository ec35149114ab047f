"""The auditor of the fault suite finds what is made wrong on purpose."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from faults.audit import audit, leftovers
from faults.finding import Finding, Kind
from faults.journey import Journey
from faults.plan import Behaviour, Ending, Plan, PlannedItem, plan_of
from faults.stage import Stage, open_stage

from coverslip.service.storage.store import Area

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Played:
    """A round without faults that has been played."""

    stage: Stage
    plan: Plan
    journey: Journey

    def audit(self) -> list[Finding]:
        return audit(self.stage, self.plan, [self.journey])

    def execute(self, statement: str) -> None:
        """Change rows as nobody can who has no rights of the database's superuser."""
        with psycopg.connect(self.stage.database_url) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement)

    @property
    def a_result(self) -> Path:
        """The file of an artifact."""
        return next(path for path in (self.stage.home.store / "results").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    environment = dict(os.environ)
    run = replace(next(run for run in plan_of(1).runs if run.ending is Ending.PROCESSED), submit_at_s=0)
    items = (
        PlannedItem(f"{run.name}/good.svs", Behaviour.SUCCEED, 0),
        PlannedItem(f"{run.name}/bad.svs", Behaviour.BLAME, 0),
    )
    run = replace(run, items=items)
    plan = Plan(seed=1, runs=(run,), strikes=())
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        journey = Journey(stage, run, time.monotonic())
        assert journey.travel() == []
        yield Played(stage, plan, journey)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left over on purpose is not waited for."""
    monkeypatch.setattr(leftovers, "_SETTLED_S", 0.0)


def test_a_sound_round_is_clean(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert played.audit() == []


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (
            Kind.WRONG,
            "update run set item_succeeded_count = 2, item_user_error_count = 0",
            "update run set item_succeeded_count = 1, item_user_error_count = 1",
        ),
        (Kind.WRONG, "update run set error_code = 'X'", "update run set error_code = null"),
        (
            Kind.WRONG,
            "update item set termination_reason = 'SYSTEM_ERROR' where termination_reason = 'USER_ERROR'",
            "update item set termination_reason = 'USER_ERROR' where termination_reason = 'SYSTEM_ERROR'",
        ),
        (Kind.WRONG, "update organization_queue set waiting = 7", "update organization_queue set waiting = 0"),
        (
            Kind.LOST,
            """update slide_usage set item_id = (select id from item where termination_reason = 'USER_ERROR')""",
            """update slide_usage set item_id = (select id from item where termination_reason = 'SUCCEEDED')""",
        ),
        (
            Kind.LOST,
            "update event set number = -number where kind = 'item.terminated'",
            "update event set number = -number where number < 0",
        ),
        (
            Kind.LOST,
            "update output_artifact set output = 'DELETED_BY_USER' where output = 'AVAILABLE'",
            "update output_artifact set output = 'AVAILABLE' where output = 'DELETED_BY_USER'",
        ),
        (
            Kind.DOUBLE,
            """insert into item select (jsonb_populate_record(item, jsonb_build_object(
                'id', gen_random_uuid(), 'position', 99, 'external_id', 'twice'))).* from item limit 1""",
            "delete from item where external_id = 'twice'",
        ),
        (
            Kind.DOUBLE,
            """insert into attempt select (jsonb_populate_record(attempt, '{"number": 99}')).* from attempt
                where outcome = 'SUCCEEDED'""",
            "delete from attempt where number = 99",
        ),
        (
            Kind.STUCK,
            "update attempt set ended_at = null, exit_cause = null where outcome = 'SUCCEEDED'",
            "update attempt set ended_at = now(), exit_cause = outcome where ended_at is null",
        ),
    ],
)
def test_a_wrong_row_is_found(played: Played, kind: Kind, wrong: str, right: str) -> None:
    objects = [path for path in (played.stage.home.store / Area.RESULTS).rglob("*") if path.is_file()]
    kept = {path: path.read_bytes() for path in objects}
    played.execute(wrong)
    try:
        assert kind in {finding.kind for finding in played.audit()}
    finally:
        played.execute(right)
        # The platform deletes what no artifact owns, as it should.
        for path in [path for path in kept if not path.exists()]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(kept[path])
    assert played.audit() == []


def test_changed_bytes_are_found(played: Played) -> None:
    right = played.a_result.read_bytes()
    played.a_result.write_bytes(right[::-1])
    try:
        assert Kind.WRONG in {finding.kind for finding in played.audit()}
    finally:
        played.a_result.write_bytes(right)


def test_a_lost_object_is_found(played: Played, tmp_path: Path) -> None:
    place = played.a_result
    kept = place.rename(tmp_path / "kept")
    try:
        assert {finding.kind for finding in played.audit()} == {Kind.LOST}
    finally:
        kept.rename(place)


def _object(played: Played, undo: ExitStack) -> None:
    _file(played.a_result.with_name("nobodys"), undo)


def _incoming(played: Played, undo: ExitStack) -> None:
    _file(played.stage.home.store / "incoming" / "1-x", undo)


def _part(played: Played, undo: ExitStack) -> None:
    _file(played.stage.home.store / "parts" / "x", undo)


def _scratch(played: Played, undo: ExitStack) -> None:
    _file(played.stage.scratch_folders[1] / "x", undo)


def _file(path: Path, undo: ExitStack) -> None:
    path.touch()
    undo.callback(path.unlink)


def _process(played: Played, undo: ExitStack) -> None:
    """One that nobody looks after any more."""
    sleep = "import os, time; os.setsid(); os.fork() and os._exit(0); print(os.getpid(), flush=True); time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", sleep], cwd=played.stage.home.scratch, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.wait()
        undo.callback(os.kill, pid, 9)
        process.stdout.close()


@pytest.mark.parametrize("leave", [_object, _incoming, _part, _scratch, _process])
def test_what_is_left_is_found(played: Played, leave: Callable[[Played, ExitStack], None]) -> None:
    with ExitStack() as undo:
        leave(played, undo)
        assert {finding.kind for finding in played.audit()} == {Kind.LEFTOVERS}
