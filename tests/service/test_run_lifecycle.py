"""A run from submission to the deletion of its results, over HTTP."""

from harness.service import TestService
from harness.worker import ARTIFACTS


def test_a_run_from_submission_to_deletion(service: TestService) -> None:
    ada = service.member()
    run_id = ada.submit("a", "b")
    assert ada.run(run_id)["state"] == "PENDING"
    first = service.worker().must_lease()
    assert first.lease["external_id"] == "a"
    assert ada.run(run_id)["state"] == "PROCESSING"
    first.succeed()
    half = ada.run(run_id)
    assert (half["state"], half["output"]) == ("PENDING", "PARTIAL")
    service.worker().finish_all()

    done = ada.run(run_id)
    assert (done["state"], done["output"], done["termination_reason"]) == ("TERMINATED", "FULL", "ALL_ITEMS_PROCESSED")
    for item in ada.items(run_id):
        assert (item["state"], item["output"], item["termination_reason"]) == ("TERMINATED", "FULL", "SUCCEEDED")
        assert [artifact["name"] for artifact in item["output_artifacts"]] == list(ARTIFACTS)
        for artifact in item["output_artifacts"]:
            link = ada.get(f"/api/v1/runs/{run_id}/artifacts/{artifact['output_artifact_id']}/file")
            assert link.status_code == 307
            assert link.headers["Cache-Control"] == "no-store"
            assert service.http.get(link.headers["Location"]).content == artifact["name"].encode()
            assert service.http.get(artifact["download_url"]).content == artifact["name"].encode()

    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 200
    assert service.objects("results") == []
    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 410
    assert ada.run(run_id)["termination_reason"] == "ALL_ITEMS_PROCESSED"
    gone = ada.items(run_id)[0]["output_artifacts"][0]
    assert (gone["output"], gone["download_url"]) == ("DELETED_BY_USER", None)
    link = ada.get(f"/api/v1/runs/{run_id}/artifacts/{gone['output_artifact_id']}/file")
    assert link.status_code == 410
