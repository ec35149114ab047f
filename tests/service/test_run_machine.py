"""Runs, items, leases and artifacts under any order of events, against a small model."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from harness.people import Person, item_request, run_request
from harness.service import TestService
from harness.worker import ARTIFACTS, Held

A_MOMENT_DAYS = 1e-9
MAX_ATTEMPTS = 3
TOO_MANY_FAILURES, TOO_LARGE_SHARE = 1, 0.25


@dataclass
class Slide:
    """What the model knows of an item."""

    state: str = "PENDING"
    reason: str | None = None
    attempts: int = 0
    available: set[str] = field(default_factory=set)


@dataclass
class Batch:
    """What the model knows of a run."""

    run_id: str
    slides: dict[str, Slide]
    reason: str | None = None
    deleted: str | None = None

    @property
    def failed(self) -> int:
        return sum(slide.reason in ("USER_ERROR", "SYSTEM_ERROR") for slide in self.slides.values())

    def end(self, reason: str) -> None:
        self.reason = reason
        for slide in self.slides.values():
            if slide.state != "TERMINATED":
                slide.state, slide.reason = "TERMINATED", "SKIPPED"


@dataclass
class Work:
    """A lease that a worker once got; it may be lost meanwhile."""

    held: Held
    batch: Batch
    slide: Slide
    attempt: int

    @property
    def valid(self) -> bool:
        return self.slide.state == "PROCESSING" and self.slide.attempts == self.attempt


class Runs(RuleBasedStateMachine):
    service: TestService

    batches = Bundle("batches")
    works = Bundle("works")
    uploads = Bundle("uploads")

    @initialize()
    def begin(self) -> None:
        self.service.clear()
        self.ada: Person = self.service.member()
        self.worker = self.service.worker()
        self.all: dict[str, Batch] = {}
        self.ended: dict[str, tuple[object, ...]] = {}

    @rule(target=batches, items=st.integers(1, 5))
    def submit(self, items: int) -> Batch:
        names = [f"slide-{number}" for number in range(items)]
        response = self.ada.post("/api/v1/runs", json=run_request() | {"items": [item_request(n) for n in names]})
        assert response.status_code == 201
        batch = Batch(response.json()["run_id"], {name: Slide() for name in names})
        self.all[batch.run_id] = batch
        return batch

    @rule(target=works)
    def lease(self) -> object:
        held = self.worker.lease()
        waiting = [s for b in self.all.values() for s in b.slides.values() if s.state == "PENDING"]
        assert (held is None) == (not waiting)
        if held is None:
            return multiple()
        batch = self.all[held.lease["run_id"]]
        slide = batch.slides[held.lease["external_id"]]
        assert slide in waiting
        slide.state, slide.attempts = "PROCESSING", slide.attempts + 1
        assert held.lease["attempt"] == slide.attempts
        return Work(held, batch, slide, slide.attempts)

    @rule(work=works)
    def heartbeat(self, work: Work) -> None:
        assert work.held.heartbeat("reading", 0.5).status_code == (200 if work.valid else 409)

    @rule(target=uploads, work=works, name=st.sampled_from(sorted(ARTIFACTS)))
    def sign(self, work: Work, name: str) -> object:
        response = work.held.sign(name, b"content")
        assert response.status_code == (200 if work.valid else 409)
        if not work.valid:
            return multiple()
        url = response.json()["upload_url"]
        assert (url is None) == (name in work.slide.available)
        return multiple() if url is None else (work, name, url)

    @rule(upload=uploads)
    def upload(self, upload: tuple[Work, str, str]) -> None:
        """Possible as long as the URL is valid, even long after the lease was lost."""
        self._send(upload)

    @rule(upload=uploads)
    def upload_and_publish(self, upload: tuple[Work, str, str]) -> None:
        work, name, _ = upload
        self._send(upload)
        assert work.held.publish(name, b"content").status_code == (204 if work.valid else 409)
        if work.valid:
            work.slide.available.add(name)

    def _send(self, upload: tuple[Work, str, str]) -> None:
        _, _, url = upload
        assert self.worker.store.put(url, content=b"content").status_code == 200

    @rule(work=works, outcome=st.sampled_from(["SUCCEEDED", "USER_ERROR", "SYSTEM_ERROR", "CANCELED"]))
    def report(self, work: Work, outcome: str) -> None:
        valid = work.valid
        assert work.held.report(outcome, error_code="X.Y", error_message="because").status_code == (
            204 if valid else 409
        )
        if valid:
            # Success without every output is the application's fault, not the slide's.
            complete = work.slide.available == set(ARTIFACTS)
            self._attempt_ended(work, outcome if outcome != "SUCCEEDED" or complete else "SYSTEM_ERROR")

    @rule(work=works)
    def succeed(self, work: Work) -> None:
        if work.valid:
            work.held.succeed()
            work.slide.available = set(ARTIFACTS)
            self._attempt_ended(work, "SUCCEEDED")

    @rule(work=works, too_late=st.booleans())
    def lose_worker(self, work: Work, too_late: bool) -> None:
        if not work.valid:
            return
        self.service.database.rows(
            "update lease set expires_at = now() - interval '1 second' where item_id = %s", work.held.item_id
        )
        if too_late:
            assert work.held.report("SUCCEEDED").status_code == 409
            assert work.held.heartbeat().status_code == 409
        self.service.sweep()
        self._attempt_ended(work, "LEASE_LOST")

    def _attempt_ended(self, work: Work, outcome: str) -> None:
        slide = work.slide
        if outcome in ("SUCCEEDED", "USER_ERROR"):
            slide.state, slide.reason = "TERMINATED", outcome
        elif slide.attempts == MAX_ATTEMPTS:
            slide.state, slide.reason = "TERMINATED", "SYSTEM_ERROR"
        else:
            slide.state = "PENDING"
        if all(slide.state == "TERMINATED" for slide in work.batch.slides.values()):
            work.batch.reason = "ALL_ITEMS_PROCESSED"
        elif work.batch.failed >= TOO_MANY_FAILURES and work.batch.failed > TOO_LARGE_SHARE * len(work.batch.slides):
            work.batch.end("CANCELED_BY_SYSTEM")

    @rule(batch=batches)
    def cancel(self, batch: Batch) -> None:
        response = self.ada.post(f"/api/v1/runs/{batch.run_id}/cancel")
        assert response.status_code == (202 if batch.reason is None else 409)
        if batch.reason is None:
            batch.end("CANCELED_BY_USER")

    @rule(batch=batches)
    def pass_deadline(self, batch: Batch) -> None:
        self.service.database.rows("update run set deadline = now() - interval '1 second' where id = %s", batch.run_id)
        self.service.sweep()
        if batch.reason is None:
            batch.end("CANCELED_BY_SYSTEM")

    @rule(batch=batches)
    def delete_results(self, batch: Batch) -> None:
        response = self.ada.delete(f"/api/v1/runs/{batch.run_id}/artifacts")
        assert response.status_code == (409 if batch.reason is None else 410 if batch.deleted else 200)
        if batch.reason is not None:
            batch.deleted = batch.deleted or "DELETED_BY_USER"

    @rule()
    def keep_results_no_longer(self) -> None:
        """As if every run that has ended had done so long ago."""
        self.service.context.settings.result_retention_days = A_MOMENT_DAYS
        self.service.sweep()
        self.service.context.settings.result_retention_days = 0
        for batch in self.all.values():
            if batch.reason is not None:
                batch.deleted = batch.deleted or "DELETED_BY_SYSTEM"

    @rule(batch=consumes(batches))
    def forget(self, batch: Batch) -> None:
        """So that later steps go to other runs."""

    @invariant()
    def rows_agree_with_the_model(self) -> None:
        rows = self.service.database.rows(
            "select run_id::text, external_id, state, termination_reason, attempt_count from item"
        )
        assert {(r.run_id, r.external_id): (r.state, r.termination_reason, r.attempt_count) for r in rows} == {
            (batch.run_id, name): (slide.state, slide.reason, slide.attempts)
            for batch in getattr(self, "all", {}).values()
            for name, slide in batch.slides.items()
        }

    @invariant()
    def runs_follow_their_items(self) -> None:
        rows = self.service.database.rows(
            """
            select * from run join (
                select run_id as counted_run, count(*) as total,
                    count(*) filter (where state = 'PENDING') as pending,
                    count(*) filter (where state = 'PROCESSING') as processing,
                    count(*) filter (where termination_reason = 'SUCCEEDED') as succeeded,
                    count(*) filter (where termination_reason = 'USER_ERROR') as user_error,
                    count(*) filter (where termination_reason = 'SYSTEM_ERROR') as system_error,
                    count(*) filter (where termination_reason = 'SKIPPED') as skipped
                from item group by run_id
            ) counted on counted_run = run.id
            """
        )
        for row in rows:
            for place in ("pending", "processing", "succeeded", "user_error", "system_error", "skipped"):
                assert getattr(row, f"item_{place}_count") == getattr(row, place)
            assert row.item_count == row.total
            unfinished = "PROCESSING" if row.processing else "PENDING" if row.pending else "TERMINATED"
            assert row.state == unfinished
            assert row.termination_reason == self.all[str(row.id)].reason

    @invariant()
    def what_has_ended_never_moves(self) -> None:
        now = {
            str(row.id): tuple(row)
            for row in self.service.database.rows(
                "select id, termination_reason, terminated_at, error_code from run where state = 'TERMINATED' "
                "union all select id, termination_reason, terminated_at, error_code from item "
                "where state = 'TERMINATED' union all select id, termination_reason, terminated_at, error_code "
                "from output_artifact where state = 'TERMINATED'"
            )
        }
        before = getattr(self, "ended", {})
        assert before.items() <= now.items()
        self.ended = now

    @invariant()
    def leases_are_the_right_to_process(self) -> None:
        (row,) = self.service.database.rows(
            """
            select
                (select count(*) from item where state = 'PROCESSING') as processing,
                (select count(*) from lease) as leases,
                (select count(*) from attempt where ended_at is null) as open_attempts,
                (select count(*) from lease join item on item.id = item_id
                    where state = 'PROCESSING' and attempt = attempt_count) as matching
            """
        )
        assert row.processing == row.leases == row.open_attempts == row.matching

    @invariant()
    def events_have_no_gaps(self) -> None:
        for row in self.service.database.rows(
            "select last_event, state, (select array_agg(number order by number) from event where run_id = run.id) as "
            "numbers, (select kind from event where run_id = run.id and kind = 'run.terminated') as told from run"
        ):
            assert row.numbers == list(range(1, row.last_event + 1))
            assert (row.state == "TERMINATED") == (row.told is not None)

    @invariant()
    def artifacts_follow_their_items(self) -> None:
        rows = self.service.database.rows(
            "select item.external_id, item.state as item_state, item.termination_reason as ended, output_artifact.* "
            "from output_artifact join item on item.id = item_id"
        )
        for row in rows:
            batch = self.all[str(row.run_id)]
            available = row.name in batch.slides[row.external_id].available
            if available:
                assert (row.state, row.termination_reason) == ("TERMINATED", "SUCCEEDED")
                assert row.output == (batch.deleted or "AVAILABLE")
                file = self.service.store_folder / "results" / row.object_path
                assert file.is_file() == (batch.deleted is None)
            else:
                assert row.output == "NONE"
                assert (row.state == "TERMINATED") == (row.item_state == "TERMINATED")
                assert row.termination_reason == (row.ended if row.item_state == "TERMINATED" else None)
                assert row.state != "PROCESSING" or row.item_state == "PROCESSING"

    def teardown(self) -> None:
        """Whatever was uploaded, and when: once its URLs have expired, only what artifacts own is left."""
        self.service.sweep_leftovers()
        unfinished = {
            row.prefix
            for row in self.service.database.rows(
                "select concat_ws('/', organization_id, run_id, item_id, attempt) as prefix from lease"
            )
        }
        owned = {
            row.object_path
            for row in self.service.database.rows("select object_path from output_artifact where output = 'AVAILABLE'")
        }
        results, parts = (
            {path.relative_to(self.service.store_folder / area).as_posix() for path in self.service.objects(area)}
            for area in ("results", "parts")
        )
        assert owned <= results
        left = (results - owned) | parts
        assert {path for path in left if "/".join(path.split("/")[:4]) not in unfinished} == set()


@pytest.mark.timeout(600)  # a failure is shrunk, which takes minutes
def test_runs_under_any_order_of_events(service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.context.settings, "error_threshold_items", TOO_MANY_FAILURES)
    monkeypatch.setattr(service.context.settings, "error_threshold_share", TOO_LARGE_SHARE)
    monkeypatch.setattr(service.context.settings, "result_retention_days", 0)

    class RunsOfThisService(Runs):
        pass

    RunsOfThisService.service = service
    bounds = settings(
        max_examples=50,
        report_multiple_bugs=False,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(RunsOfThisService, settings=bounds)
