"""The worker API: who is served, and that nobody but the holder of a lease can touch its item."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from coverslip.embedded.postgres.connection import SUPERUSER
from harness.people import Person, item_request
from harness.service import TestService, at_once
from harness.worker import ARTIFACTS, OFFER, Held, WorkerClient

NAME = "tissue_qc:csv_class_information"


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def worker(service: TestService) -> WorkerClient:
    return service.worker()


def order(worker: WorkerClient) -> list[str]:
    """The external ids in the order in which they are leased."""
    leased = []
    while (held := worker.lease()) is not None:
        leased.append(held.lease["external_id"])
        held.report("USER_ERROR").raise_for_status()
    return leased


def test_a_lease_says_all_that_the_worker_must_know(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit(items=[item_request("a", url="https://slides.example/s.svs?sig=1")])
    lease = worker.must_lease().lease
    assert (lease["run_id"], lease["external_id"], lease["attempt"]) == (run_id, "a", 1)
    assert (lease["application_id"], lease["version_number"]) == ("test-app", "1.0.0")
    assert [(i["name"], i["download_url"]) for i in lease["inputs"]] == [
        ("whole_slide_image", "https://slides.example/s.svs?sig=1")
    ]
    assert lease["time_limit_s"] > 0
    assert datetime.fromisoformat(lease["expires_at"]) > datetime.now(UTC)


def test_a_slide_in_our_own_store_is_signed_anew_for_each_lease(
    service: TestService, ada: Person, worker: WorkerClient
) -> None:
    key = service.context.store.owned_key(ada.upload("s.svs", b"abc"))
    assert key is not None
    expired = service.context.store.sign_get(key, expires_in_s=-10)
    ada.submit(items=[item_request("a", url=expired)])
    (given,) = worker.must_lease().lease["inputs"]
    assert given["download_url"] != expired
    assert service.http.get(given["download_url"]).content == b"abc"


def test_within_an_organization_the_earliest_due_comes_first(service: TestService, ada: Person) -> None:
    bob = service.person(ada.organization_id)
    ada.submit("no due date 1", "no due date 2")
    bob.submit("no due date 3")
    for name, days in (("in 3 days", 3), ("tomorrow", 1), ("in 30 days", 30)):
        ada.submit(name, scheduling={"due_date": (datetime.now(UTC) + timedelta(days=days)).isoformat()})
    assert order(service.worker()) == [
        "tomorrow",
        "in 3 days",
        "no due date 1",
        "no due date 2",
        "no due date 3",
        "in 30 days",
    ]


def test_between_organizations_the_one_that_was_served_least_comes_first(
    service: TestService, ada: Person, worker: WorkerClient
) -> None:
    bob = service.member()
    ada.submit("a1", "a2", "a3")
    bob.submit("b1", "b2")
    assert {worker.must_lease().lease["external_id"] for _ in range(2)} == {"a1", "b1"}
    assert {worker.must_lease().lease["external_id"] for _ in range(2)} == {"a2", "b2"}
    assert worker.must_lease().lease["external_id"] == "a3"


def test_a_worker_gets_only_what_it_offers(ada: Person, worker: WorkerClient) -> None:
    ada.submit("a")
    for other in ({"application_id": "he-tme"}, {"version_number": "2.0.0"}):
        assert worker.ask(versions=[OFFER | other]).status_code == 204
    assert worker.ask(versions=[OFFER | {"version_number": "2.0.0"}, OFFER]).status_code == 200


def test_many_workers_at_once_get_each_item_once(service: TestService, ada: Person) -> None:
    for run in range(3):
        ada.submit(*(f"{run}-{number}" for number in range(5)))
    workers = [service.worker() for _ in range(8)]

    def take_all(worker: WorkerClient) -> list[str]:
        taken = []
        while (held := worker.lease()) is not None:
            taken.append(held.lease["external_id"])
            held.report("USER_ERROR").raise_for_status()
        return taken

    taken = at_once([lambda w=worker: take_all(w) for worker in workers])
    assert sorted(name for names in taken for name in names) == [f"{run}-{n}" for run in range(3) for n in range(5)]


def test_a_waiting_worker_is_woken_by_new_work(ada: Person, worker: WorkerClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: worker.ask(wait_s=20))
        ada.submit("a")
        assert waiting.result(timeout=20).status_code == 200
    assert worker.ask(wait_s=0.1).status_code == 204


def test_the_end_of_an_attempt_ends_its_lease(service: TestService, ada: Person, worker: WorkerClient) -> None:
    ada.submit("a")
    held = worker.must_lease()
    held.report("SYSTEM_ERROR", error_code="X", error_message="y").raise_for_status()
    again = worker.must_lease()
    assert again.lease["attempt"] == 2
    assert again.lease["lease_token"] != held.lease["lease_token"]
    for late in (
        held.heartbeat(),
        held.sign(NAME, b""),
        held.publish(NAME, b""),
        held.report("SUCCEEDED"),
    ):
        assert late.status_code == 409
        assert "has expired or was revoked" in late.json()["detail"]
    again.succeed()


@pytest.mark.parametrize("token", ["", "wrong", "\xff", "a" * 10_000])
def test_without_the_leases_token_nothing_can_be_done(ada: Person, worker: WorkerClient, token: str) -> None:
    ada.submit("a")
    held = worker.must_lease()
    forged = Held(held.http, held.store, held.lease | {"lease_token": token.encode("latin-1")})
    for answer in (forged.heartbeat(), forged.sign(NAME, b""), forged.publish(NAME, b""), forged.report("SUCCEEDED")):
        assert answer.status_code == 409
    without = held.http.post(f"/api/worker/v1/leases/{held.item_id}/heartbeat", json={})
    assert without.status_code == 422


def test_another_workers_lease_cannot_be_used(service: TestService, ada: Person, worker: WorkerClient) -> None:
    from coverslip.service.identity.secrets import hash_secret

    service.database.rows(
        "insert into worker (id, name, token_hash) values (gen_random_uuid(), 'other', %s)", hash_secret("other's")
    )
    try:
        ada.submit("a")
        held = worker.must_lease()
        thief = WorkerClient(service.url, "other's")
        assert thief.ask().status_code == 204
        assert Held(thief.http, thief.store, held.lease).heartbeat().status_code == 409
        service.database.rows("update worker set disabled_at = now() where name = 'other'")
        assert thief.ask().status_code == 401
    finally:
        service.database.rows("delete from worker where name = 'other'")


@pytest.mark.parametrize("action", ["report", "publish"])
def test_a_lease_that_is_lost_while_a_request_waits_its_turn(
    service: TestService, ada: Person, worker: WorkerClient, action: str
) -> None:
    ada.submit("a")
    held = worker.must_lease()
    worker.store.put(held.sign(NAME, b"x").json()["upload_url"], content=b"x").raise_for_status()
    with service.database.connect(SUPERUSER) as another, ThreadPoolExecutor(1) as pool:
        with another.transaction():
            another.execute("select from run for update")
            late = pool.submit(lambda: held.report("USER_ERROR") if action == "report" else held.publish(NAME, b"x"))
            give_up_at = time.monotonic() + 20
            while not service.database.rows("select pid from pg_stat_activity where wait_event_type = 'Lock'"):
                assert time.monotonic() < give_up_at, "the request does not wait for the run"
                time.sleep(0.01)
            another.execute("update lease set expires_at = now() - interval '1 second'")
        assert late.result().status_code == 409


def test_three_attempts_and_no_more(service: TestService, ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    for attempt in (1, 2, 3):
        held = worker.must_lease()
        assert held.lease["attempt"] == attempt
        held.report(
            "SYSTEM_ERROR", error_code="WORKER.OOM", error_message="Out of memory.", log="log", peak_memory_mb=7
        ).raise_for_status()
    assert worker.lease() is None
    (item,) = ada.items(run_id)
    assert (item["termination_reason"], item["error_code"]) == ("SYSTEM_ERROR", "WORKER.OOM")
    assert {artifact["error_code"] for artifact in item["output_artifacts"]} == {"WORKER.OOM"}
    kept = service.database.rows("select number, log, peak_memory_mb, outcome from attempt order by number")
    assert [tuple(row) for row in kept] == [(n, "log", 7, "SYSTEM_ERROR") for n in (1, 2, 3)]


def test_what_an_attempt_published_is_not_made_again(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    first = worker.must_lease()
    first.write(NAME, b"from the first attempt")
    first.report("SYSTEM_ERROR").raise_for_status()
    second = worker.must_lease()
    assert second.sign(NAME, b"other").json() == {"upload_url": None}
    assert second.publish(NAME, b"other").status_code == 204
    second.succeed()
    artifact = next(a for a in ada.items(run_id)[0]["output_artifacts"] if a["name"] == NAME)
    assert worker.store.get(artifact["download_url"]).content == b"from the first attempt"


def test_success_without_every_output_is_the_applications_fault(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    for _ in range(3):
        held = worker.must_lease()
        held.write(NAME)
        held.report("SUCCEEDED").raise_for_status()
    (item,) = ada.items(run_id)
    assert (item["termination_reason"], item["error_code"]) == ("SYSTEM_ERROR", "APPLICATION.OUTPUT_MISSING")
    assert "tissue_segmentation:geojson_polygons" in item["error_message"]
    assert NAME not in item["error_message"]
    available = [a["name"] for a in item["output_artifacts"] if a["output"] == "AVAILABLE"]
    assert available == [NAME]


def test_what_is_published_must_be_there_and_be_as_declared(ada: Person, worker: WorkerClient) -> None:
    ada.submit("a")
    held = worker.must_lease()
    assert held.sign("no:such_output", b"").status_code == 400
    assert held.publish("no:such_output", b"").status_code == 400
    assert held.publish(NAME, b"x").status_code == 409, "not uploaded"
    url = held.sign(NAME, b"x").json()["upload_url"]
    assert worker.store.put(url, content=b"y").status_code == 400
    assert held.publish(NAME, b"x").status_code == 409, "another file was uploaded"
    worker.store.put(url, content=b"x").raise_for_status()
    assert held.publish(NAME, b"xx").status_code == 409, "of another size"
    assert held.publish(NAME, b"x", surprise=1).status_code == 400, "its schema does not know that"
    assert held.publish(NAME, b"x").status_code == 204


@pytest.mark.parametrize("media_type", ["text/html\r\nSet-Cookie: a=b", "スライド", "text", 1, None])
def test_a_media_type_that_is_none_keeps_nobody_from_a_result(
    service: TestService, ada: Person, worker: WorkerClient, media_type: object
) -> None:
    run_id = ada.submit("a")
    worker.must_lease().succeed()
    metadata = json.dumps({"media_type": media_type})  # of an application whose schema allows that
    service.database.rows("update output_artifact set metadata = %s::jsonb", metadata)
    artifact_id = ada.items(run_id)[0]["output_artifacts"][0]["output_artifact_id"]
    answer = ada.get(f"/api/v1/runs/{run_id}/artifacts/{artifact_id}/file", follow_redirects=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")


def test_late_uploads_touch_nothing_that_is_published(service: TestService, ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    held = worker.must_lease()
    first, second = (held.sign(NAME, content).json()["upload_url"] for content in (b"first", b"other"))
    worker.store.put(first, content=b"first").raise_for_status()
    assert held.publish(NAME, b"first").status_code == 204
    (published,) = service.objects("results")
    for url, content in ((first, b"first"), (second, b"other"), (first, b"later")):
        worker.store.put(url, content=content)
        assert held.publish(NAME, content).status_code == 204, "published already"
    assert service.objects("results") == [published]
    assert published.read_bytes() == b"first"
    held.report("USER_ERROR").raise_for_status()
    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 200
    worker.store.put(first, content=b"first").raise_for_status()
    assert service.objects("results") == [], "nor do they bring back what was deleted"
    service.sweep_leftovers()
    assert service.objects("parts") == []


def test_late_uploads_of_what_succeeded_are_deleted(service: TestService, ada: Person, worker: WorkerClient) -> None:
    ada.submit("a")
    held = worker.must_lease()
    url = held.sign(NAME, b"first").json()["upload_url"]
    worker.store.put(url, content=b"first").raise_for_status()
    held.publish(NAME, b"first").raise_for_status()
    held.succeed()
    published = service.objects("results")
    # As if the service had been killed before it could delete it, or the network had held it back.
    worker.store.put(url, content=b"first").raise_for_status()
    assert len(service.objects("parts")) == 1
    service.sweep_leftovers()
    assert service.objects("parts") == []
    assert service.objects("results") == published


def test_progress_is_shown_while_a_worker_is_at_it(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a", "b")
    held = worker.must_lease()
    held.heartbeat("reading tiles", 0.25).raise_for_status()
    path = f"/api/coverslip/v1/runs/{run_id}/progress"
    shown = ada.get(path)
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.json() == [
        {"item_id": held.item_id, "external_id": "a", "attempt": 1, "stage": "reading tiles", "fraction": 0.25}
    ]
    held.succeed()
    assert ada.get(path).json() == []


def test_a_lost_worker_is_named(service: TestService, ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    for _ in range(3):
        held = worker.must_lease()
        held.heartbeat("reading tiles", 0.5)
        service.sweep()
        assert held.heartbeat("reading tiles", 0.6).status_code == 200, "a lease that is kept alive is not swept"
        service.database.rows("update lease set expires_at = now()")
        service.sweep()
    (item,) = ada.items(run_id)
    assert (item["termination_reason"], item["error_code"]) == ("SYSTEM_ERROR", "WORKER.LOST")
    assert "'tests' was lost while reading tiles" in item["error_message"]


def test_a_step_of_the_sweep_that_fails_does_not_hold_up_the_others(
    service: TestService, ada: Person, worker: WorkerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coverslip.service.scheduling import sweeper

    run_id = ada.submit("a", "b")
    bad, good = worker.must_lease(), worker.must_lease()
    service.database.rows("update lease set expires_at = now()")
    real = sweeper.expire_lease

    async def fail_for_one(context: object, lease: object) -> None:
        if str(lease.item_id) == bad.item_id:
            raise OSError("the disk is gone")
        await real(context, lease)

    monkeypatch.setattr(sweeper, "expire_lease", fail_for_one)
    service.sweep()
    states = {item["item_id"]: item["state"] for item in ada.items(run_id)}
    assert states == {bad.item_id: "PROCESSING", good.item_id: "PENDING"}


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": "DONE"},
        {"outcome": "SUCCEEDED", "peak_memory_mb": 2**31},
        {"outcome": "SUCCEEDED", "peak_memory_mb": -1},
        {"outcome": "USER_ERROR", "error_message": "a\x00b"},
        {"outcome": "USER_ERROR", "error_code": "x" * 129},
        {"outcome": "USER_ERROR", "log": "x" * 65_537},
    ],
)
def test_reports_that_cannot_be_kept_are_refused(ada: Person, worker: WorkerClient, body: dict[str, object]) -> None:
    ada.submit("a")
    held = worker.must_lease()
    assert held.post("report", body).status_code == 422
    assert held.heartbeat().status_code == 200


def test_every_declared_output_has_valid_metadata_here(service: TestService) -> None:
    version = service.member().get("/api/v1/applications/test-app/versions/1.0.0").json()
    assert [output["name"] for output in version["output_artifacts"]] == list(ARTIFACTS)
