"""What nobody has needed for long is deleted: results, and uploaded slides; never what somebody still needs."""

from functools import partial
from typing import Any

import pytest

from coverslip.service.scheduling import leftovers, retention
from coverslip.service.storage import object_commands
from harness.people import Person, item_request
from harness.service import TestService, at_once

DAYS = 30


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def ago(service: TestService, days: float, run_id: str) -> None:
    """As if a run had ended so long ago."""
    long_ago = f"now() - interval '{days} days'"
    service.database.rows(f"update run set terminated_at = {long_ago} where id = %s", run_id)
    service.database.rows(f"update item set terminated_at = {long_ago} where run_id = %s", run_id)


def idle(service: TestService, days: float) -> None:
    """As if every slide had been uploaded so long ago."""
    service.database.rows(f"update bucket_object set idle_since = now() - interval '{days} days'")


class TestResults:
    @pytest.fixture
    def run_id(self, service: TestService, ada: Person) -> str:
        run_id = ada.submit("a", "b")
        service.worker().finish_all()
        return run_id

    def test_results_are_deleted_when_their_time_is_over(self, service: TestService, ada: Person, run_id: str) -> None:
        kept = ada.submit("c")
        service.worker().finish_all()
        ago(service, DAYS - 0.1, kept)
        ago(service, DAYS + 0.1, run_id)
        service.sweep()
        outputs = [artifact for item in ada.items(run_id) for artifact in item["output_artifacts"]]
        assert {(artifact["output"], artifact["download_url"]) for artifact in outputs} == {("DELETED_BY_SYSTEM", None)}
        path = f"/api/v1/runs/{run_id}/artifacts/{outputs[0]['output_artifact_id']}/file"
        assert ada.get(path).status_code == 410
        assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 410
        assert ada.run(run_id)["termination_reason"] == "ALL_ITEMS_PROCESSED", "the record stays"
        (event,) = ada.get(f"/api/coverslip/v1/runs/{run_id}/events").json()[-1:]
        assert (event["kind"], event["payload"]) == ("run.results_deleted", {"count": len(outputs)})
        audited = service.database.rows("select subject, user_id from audit_entry where action = 'run.results_deleted'")
        assert [tuple(row) for row in audited] == [(run_id, None)]
        assert {kept} == {path.relative_to(service.store_folder).parts[2] for path in service.objects("results")}
        before = service.database.rows("select count(*) from event")
        service.sweep()
        assert service.database.rows("select count(*) from event") == before, "once only"

    def test_0_keeps_results_for_ever(
        self, service: TestService, ada: Person, run_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service.context.settings, "result_retention_days", 0)
        ago(service, 10_000, run_id)
        service.sweep()
        assert ada.items(run_id)[0]["output_artifacts"][0]["output"] == "AVAILABLE"

    def test_an_unfinished_run_is_not_touched(self, service: TestService, ada: Person) -> None:
        run_id = ada.submit("a", "b")
        service.worker().must_lease().succeed()
        service.database.rows("update run set submitted_at = now() - interval '1 year'")
        service.sweep()
        assert ada.items(run_id)[0]["output_artifacts"][0]["output"] == "AVAILABLE"

    def test_more_than_a_round_deletes_is_deleted_by_the_next_rounds(
        self, service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "_RUNS", 2)
        runs = [ada.submit("a") for _ in range(5)]
        service.worker().finish_all()
        for run_id in runs:
            ago(service, DAYS + 1, run_id)
        deleted = []
        for _ in range(3):
            service.sweep()
            deleted.append(sum(run.output == "DELETED_BY_SYSTEM" for run in self._outputs(service)))
        assert [count // 6 for count in deleted] == [2, 4, 5]
        assert service.objects("results") == []

    def _outputs(self, service: TestService) -> Any:
        return service.database.rows("select output from output_artifact")

    def test_a_service_that_is_killed_after_the_rows_leaves_objects_to_the_next(
        self, service: TestService, ada: Person, run_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def die(*_: object) -> None:
            raise SystemError

        ago(service, DAYS + 1, run_id)
        monkeypatch.setattr(leftovers, "sweep_attempt", die)
        monkeypatch.setattr("coverslip.service.scheduling.sweeper.sweep_attempt", die)
        service.sweep()
        assert {row.output for row in self._outputs(service)} == {"DELETED_BY_SYSTEM"}
        assert len(service.objects("results")) == 12
        monkeypatch.undo()
        service.sweep()
        assert service.objects("results") == []

    def test_several_services_at_once_delete_once(self, service: TestService, ada: Person, run_id: str) -> None:
        ago(service, DAYS + 1, run_id)
        at_once([service.sweep] * 4)
        told = service.database.rows("select * from event where kind = 'run.results_deleted'")
        assert len(told) == 1
        assert service.objects("results") == []


class TestBucket:
    def test_what_nobody_uses_is_deleted_and_audited(self, service: TestService, ada: Person) -> None:
        ada.upload("old.svs", b"old")
        idle(service, DAYS + 0.1)
        ada.upload("new.svs", b"new")
        service.sweep()
        assert [path.read_bytes() for path in service.objects("inputs")] == [b"new"]
        assert [each["bucket_key"].endswith("new.svs") for each in ada.get("/api/coverslip/v1/objects").json()] == [
            True
        ]
        ((organization_id, user_id, details),) = service.database.rows(
            "select organization_id, user_id, details from audit_entry where action = 'object.expired'"
        )
        assert (organization_id, user_id) == (ada.organization_id, None)
        assert details["key"].endswith("old.svs")

    def test_0_keeps_slides_for_ever(self, service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service.context.settings, "bucket_retention_days", 0)
        ada.upload("old.svs", b"old")
        idle(service, 10_000)
        service.sweep()
        assert len(service.objects("inputs")) == 1

    def test_what_an_unfinished_run_needs_stays_and_counts_as_used(self, service: TestService, ada: Person) -> None:
        run_id = ada.submit(items=[item_request("a", url=ada.upload("s.svs", b"slide"))])
        idle(service, DAYS + 1)
        service.sweep()
        assert len(service.objects("inputs")) == 1
        service.worker().finish_all()
        idle(service, DAYS + 1)
        service.sweep()
        assert len(service.objects("inputs")) == 1, "a run used it today"
        ago(service, DAYS + 1, run_id)
        idle(service, DAYS + 1)
        service.sweep()
        assert service.objects("inputs") == []

    @pytest.mark.parametrize("sent", ["announced", "completed"])
    def test_what_is_sent_again_is_used_again(self, service: TestService, ada: Person, sent: str) -> None:
        ada.upload("s.svs", b"slide")
        idle(service, DAYS + 1)
        if sent == "completed":
            service.database.rows("delete from upload")
        ada.upload("s.svs", b"slide")
        service.sweep()
        assert len(service.objects("inputs")) == 1

    def test_a_slide_that_expired_can_be_sent_again(self, service: TestService, ada: Person) -> None:
        ada.upload("s.svs", b"slide")
        idle(service, DAYS + 1)
        service.sweep()
        assert service.objects("inputs") == []
        url = ada.upload("s.svs", b"slide")
        assert service.http.get(url).content == b"slide"

    @pytest.mark.parametrize("step", ["store", "row"])
    def test_a_service_that_is_killed_meanwhile_leaves_the_rest_to_the_next(
        self, service: TestService, ada: Person, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada.upload("s.svs", b"slide")
        idle(service, DAYS + 1)
        service.database.rows("update bucket_object set created_at = now() - interval '31 days'")
        self._die_at(step, service, monkeypatch)
        service.sweep()
        assert service.database.rows("select path from bucket_object")
        assert ada.get("/api/coverslip/v1/objects").json() == []
        monkeypatch.undo()
        service.sweep()
        assert service.objects("inputs") == []
        assert service.database.rows("select path from bucket_object") == []

    def _die_at(self, step: str, service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
        async def die(*_: object) -> None:
            raise SystemError

        if step == "store":
            monkeypatch.setattr(object_commands, "drop_object", die)
        else:
            monkeypatch.setattr(object_commands.queries, "forget_object", die)

    def test_several_services_at_once_delete_once(self, service: TestService, ada: Person) -> None:
        ada.upload("s.svs", b"slide")
        idle(service, DAYS + 1)
        at_once([service.sweep] * 4)
        assert len(service.database.rows("select * from audit_entry where action = 'object.expired'")) == 1
        assert service.objects("inputs") == []

    def test_a_run_that_is_submitted_meanwhile_has_its_slide_or_is_refused(
        self, service: TestService, ada: Person
    ) -> None:
        for number in range(5):
            url = ada.upload(f"{number}.svs", b"%d" % number)
            service.database.rows("update bucket_object set idle_since = now() - interval '31 days'")
            request = {"application_id": "test-app", "items": [item_request("a", url=url)]}
            submit = partial(ada.post, "/api/v1/runs", json=request)
            answer, _ = at_once([submit, service.sweep])
            found = service.http.get(url).status_code
            assert (answer.status_code, found) in {(201, 200), (400, 404)}
