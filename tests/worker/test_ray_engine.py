"""Items on the nodes of a Ray cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytest.importorskip("ray", reason="Ray has no release for this platform")

from harness.database import TestDatabase
from harness.people import Person
from harness.ray_cluster import ThreeNodes, three_nodes
from harness.service import TestService
from harness.worker import crc32c
from worker.deadlines import is_alive, within
from worker.engine_conformance import EngineConformance, Start
from worker.fake_service import SECRET, FakeService
from worker.worker_process import WorkerProcess, all_gone, ended, pids_of

pytestmark = pytest.mark.process

SLIDES = [f"slide {number}.svs" for number in range(6)]


@pytest.fixture(scope="module")
def cluster(probe: Path) -> Iterator[ThreeNodes]:
    with three_nodes(probe) as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def _all_is_released(cluster: ThreeNodes) -> Iterator[None]:
    """After each test no reservation and no process of an attempt is left."""
    yield
    within(60, lambda: cluster.groups() == {})
    within(60, lambda: cluster.living_actors() == [])


class TestRayEngine(EngineConformance):
    """`RayEngine` is an engine."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine_settings(cls, cluster: ThreeNodes) -> dict[str, str]:
        return cluster.settings()

    def test_a_run_has_a_placement_group_for_each_item_named_after_it(
        self, worker: WorkerProcess, service: FakeService, cluster: ThreeNodes, tmp_path: Path
    ) -> None:
        item = service.add("wait", mark=str(tmp_path / "mark"))
        pids_of(tmp_path / "mark")
        (name,) = cluster.groups()
        assert name == f"coverslip-run-{item.lease['run_id']}-item-{item.lease['item_id']}-attempt-1"
        item.lost = True

    def test_a_graphics_processor_is_kept_for_the_item_and_named_to_its_application(
        self, worker: WorkerProcess, service: FakeService
    ) -> None:
        item = service.add("tell", gpu=1)
        ended(item)
        assert b"CUDA_VISIBLE_DEVICES=0" in item.uploads["report"]

    def test_an_attempt_that_hangs_is_ended_by_force(
        self, start: Start, own_service: FakeService, tmp_path: Path
    ) -> None:
        worker = start()
        own_service.add("wait", mark=str(tmp_path / "mark"))
        pids = pids_of(tmp_path / "mark")
        parents = psutil.Process(pids["application"]).parents()
        attempt = next(parent for parent in parents if "NodeAttempt" in parent.name())
        attempt.suspend()
        within(60, lambda: all_gone(pids))
        assert not is_alive(attempt.pid)
        assert ended(own_service.add("succeed"))["outcome"] == "SUCCEEDED"
        within(20, lambda: worker.leftovers() == [])

    def test_an_item_that_fits_on_no_node_is_given_back(self, start: Start, own_service: FakeService) -> None:
        own_service.lease_s = 6
        start()
        report = ended(own_service.add("succeed", gpu=2))
        assert (report["error_code"], report["exit_cause"]) == ("WORKER.NO_NODE_FREE", "WORKER_FAULT")

    def test_no_secret_is_in_a_log_of_ray(
        self, worker: WorkerProcess, service: FakeService, cluster: ThreeNodes
    ) -> None:
        ended(service.add("succeed"))
        logs = within(20, cluster.logs)
        assert "NodeAttempt" in logs
        assert SECRET not in logs


@pytest.fixture
def platform(
    postgres: TestDatabase, applications: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestService]:
    """The real service, which knows the probe application."""
    store = tmp_path_factory.mktemp("store")
    with TestService(postgres, store, lease_s=20, heartbeat_s=0.5) as service:
        service.clear()
        yield service
        service.clear()
        service.database.forget_application("probe")


@pytest.fixture
def worker_of_platform(
    platform: TestService, cluster: ThreeNodes, probe: Path, tmp_path: Path
) -> Iterator[WorkerProcess]:
    token = platform.database.secrets.worker_token.read_text()
    worker = WorkerProcess(tmp_path, platform.url, probe, slots=4, settings=cluster.settings(), token=token)
    yield worker
    assert worker.stop() == 0
    assert worker.leftovers() == []


def test_a_run_comes_to_its_end_although_a_node_is_killed(
    platform: TestService, worker_of_platform: WorkerProcess, cluster: ThreeNodes
) -> None:
    """The last test with this cluster: it has only one node for items then."""
    person = platform.member()
    run_id = submit(person)
    within(60, lambda: stages(platform).count("counting") == 4)  # two on each node
    cluster.kill(cluster.plain)
    within(120, lambda: person.run(run_id)["state"] == "TERMINATED")
    items = person.items(run_id)
    assert {item["termination_reason"] for item in items} == {"SUCCEEDED"}
    written = {item["external_id"]: content_of(person, run_id, item) for item in items}
    assert written == {name: f"{name}: {len(name)} bytes" for name in SLIDES}
    attempts = platform.database.rows("select item_id, outcome, error_code from attempt")
    assert sorted(row.item_id for row in attempts if row.outcome == "SUCCEEDED") == sorted(
        item_id for (item_id,) in platform.database.rows("select id from item")
    )
    assert {row.error_code for row in attempts if row.outcome != "SUCCEEDED"} == {"WORKER.NODE_LOST"}
    platform.sweep_leftovers()
    assert len(platform.objects("results")) == len(SLIDES)


def submit(person: Person) -> str:
    """A run of slides that take a while; its id."""
    slides = []
    for name in SLIDES:
        metadata = {"checksum_base64_crc32c": crc32c(name.encode()), "behave": "succeed", "delay_s": 5, "name": name}
        url = person.upload(name, name.encode())
        artifact = {"name": "slide", "download_url": url, "metadata": metadata}
        slides.append({"external_id": name, "input_artifacts": [artifact]})
    return person.submit(application_id="probe", items=slides)


def stages(platform: TestService) -> list[str]:
    """What the attempts are doing, as far as their heartbeats told."""
    return [row.stage for row in platform.database.rows("select stage from attempt where ended_at is null")]


def content_of(person: Person, run_id: str, item: dict[str, Any]) -> str:
    """The only artifact of an item."""
    (artifact,) = item["output_artifacts"]
    answer = person.get(f"/api/v1/runs/{run_id}/artifacts/{artifact['output_artifact_id']}/file")
    return httpx.get(answer.headers["location"]).raise_for_status().text
