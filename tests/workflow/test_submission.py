"""Submitting: what is sent, what is refused before, and that interruptions make no second run."""

import stat
from pathlib import Path
from typing import Any

import pytest

from coverslip.platform import Client
from coverslip.platform.errors import QuotaExceeded, ServerError
from coverslip.platform.sdk_metadata import RunSdkMetadata
from coverslip.workflow.errors import BadSchedule, NotUploaded, SubmissionUnfinished, TableFaulty
from coverslip.workflow.pending import forget_pending, pending_path
from coverslip.workflow.submission import RunOptions, check_table, parse_schedule, submit_table
from coverslip.workflow.table import SlideRow, read_table, write_table
from coverslip.workflow.upload import upload_slides


def row(external_id: str = "/a.svs", **cells: Any) -> SlideRow:
    known = {"checksum_base64_crc32c": "64RKKA==", "resolution_mpp": 0.25, "width_px": 10, "height_px": 20}
    return SlideRow(external_id, **{**known, "platform_bucket_url": "http://x/a", **cells})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "slides.csv"
    write_table(path, [row(staining_method="H&E", tissue="LUNG", disease="LUNG_CANCER")])
    return path


def sent_runs(platform: Any) -> list[dict[str, Any]]:
    return list(platform.runs.values())


def test_metadata_follows_the_schema_of_the_version(platform: Any, client: Client, table: Path) -> None:
    requests: list[dict[str, Any]] = []
    client.runs.submit_request = lambda request, **keywords: (
        requests.append(  # type: ignore[method-assign, assignment]
            request.model_dump(mode="json", exclude_none=True)
        )
        or client.run("0" * 32)
    )
    for application_id in ("test-app", "he-tme"):
        submit_table(client, table, application_id, None, RunOptions(note="n", tags=frozenset({"b", "a"})))
        forget_pending(table)
    known = {
        "checksum_base64_crc32c": "64RKKA==",
        "resolution_mpp": 0.25,
        "width_px": 10,
        "height_px": 20,
        "media_type": "application/octet-stream",
    }
    test_app, he_tme = (request["items"][0]["input_artifacts"][0] for request in requests)
    assert test_app["metadata"] == known
    assert he_tme["metadata"] == {
        **known,
        "staining_method": "H&E",
        "specimen": {"disease": "LUNG_CANCER", "tissue": "LUNG"},
    }
    assert test_app["name"] == "whole_slide_image"
    assert requests[0]["version_number"] == "1.10.0"
    sdk = RunSdkMetadata.model_validate(requests[0]["custom_metadata"]["sdk"])
    assert (sdk.note, sdk.tags) == ("n", ["a", "b"])


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({}, "staining_method is missing"),
        ({"staining_method": "H&E"}, "disease is missing"),
        ({"staining_method": "IHC", "disease": "LUNG_CANCER"}, "staining_method: 'IHC' is not one of H&E"),
        ({"staining_method": "H&E", "disease": "COLD"}, "disease: 'COLD' is not one of BREAST_CANCER, LUNG_CANCER"),
        ({"staining_method": "H&E", "disease": "LUNG_CANCER", "tissue": "BREAST"}, "tissue: 'BREAST' is not one of"),
        (
            {"staining_method": "H&E", "disease": "LUNG_CANCER", "resolution_mpp": 8.065},
            "resolution_mpp: 8.065 is greater than the maximum of 0.55",
        ),
    ],
)
def test_rows_the_version_would_refuse_are_named_before_anything_is_sent(
    platform: Any, client: Client, tmp_path: Path, cells: dict[str, Any], fault: str
) -> None:
    table = tmp_path / "slides.csv"
    write_table(table, [row(**cells)])
    with pytest.raises(TableFaulty) as caught:
        check_table(client, table, "he-tme")
    faults = caught.value.facts["faults"]
    assert isinstance(faults, list)
    assert any(line.startswith("row 2 (a.svs): ") and fault in line for line in faults), faults
    assert platform.asked("POST", "") == []


def test_slides_without_an_address_are_refused(client: Client, tmp_path: Path) -> None:
    write_table(tmp_path / "slides.csv", [row(platform_bucket_url="")])
    with pytest.raises(NotUploaded, match="run upload"):
        submit_table(client, tmp_path / "slides.csv", "test-app")


def test_a_lost_answer_makes_no_second_run(platform: Any, client: Client, table: Path) -> None:
    platform.fail("POST", "/api/v1/runs", times=4, status=502)
    with pytest.raises(ServerError):
        submit_table(client, table, "test-app")
    assert stat.S_IMODE(pending_path(table).stat().st_mode) == 0o600
    first = submit_table(client, table, "test-app")
    again = submit_table(client, table, "test-app")
    assert (first.resumed, again.resumed) == (False, True)
    assert first.run_id == again.run_id
    assert len(sent_runs(platform)) == 1
    keys = {headers["idempotency-key"] for headers in platform.asked("POST", "/api/v1/runs")}
    assert len(keys) == 1


def test_a_refused_request_is_not_sent_again(platform: Any, client: Client, table: Path) -> None:
    platform.fail("POST", "/api/v1/runs", status=402)
    with pytest.raises(QuotaExceeded):
        submit_table(client, table, "test-app")
    assert not pending_path(table).exists()


def test_after_a_run_is_over_the_next_is_another(platform: Any, client: Client, table: Path) -> None:
    first = submit_table(client, table, "test-app")
    forget_pending(table)
    assert submit_table(client, table, "test-app").run_id != first.run_id


def test_an_unfinished_submission_of_another_application_is_not_mixed_up(client: Client, table: Path) -> None:
    submit_table(client, table, "test-app")
    with pytest.raises(SubmissionUnfinished, match=r"test-app 1\.10\.0"):
        submit_table(client, table, "he-tme")


def test_uploads_run_side_by_side_and_are_entered(platform: Any, client: Client, tmp_path: Path) -> None:
    from coverslip.slides.crc32c import crc32c_file

    rows = []
    for number in range(9):
        path = tmp_path / f"s{number}.svs"
        path.write_bytes(bytes([number]) * 3_000_000)
        rows.append(row(str(path), checksum_base64_crc32c=crc32c_file(path), platform_bucket_url=""))
    table = tmp_path / "slides.csv"
    write_table(table, rows)
    assert upload_slides(client, table, rows) == 9
    assert len({found.platform_bucket_url for found in read_table(table)} - {""}) == 9
    assert upload_slides(client, table, rows) == 0


@pytest.mark.parametrize(
    ("due_date", "deadline", "reason"),
    [
        ("tomorrow", None, "no date"),
        ("2099-01-01T00:00:00", None, "no time zone"),
        (None, "2001-01-01T00:00:00Z", "in the past"),
        ("2099-01-02T00:00:00Z", "2099-01-01T00:00:00Z", "not before the deadline"),
    ],
)
def test_a_bad_schedule_is_refused(due_date: str | None, deadline: str | None, reason: str) -> None:
    with pytest.raises(BadSchedule, match=reason):
        parse_schedule(due_date, deadline)


def test_a_schedule_keeps_its_instant() -> None:
    schedule = parse_schedule("2099-01-01T00:00:00+01:00", None)
    assert schedule is not None
    assert schedule.model_dump(mode="json", exclude_none=True) == {"due_date": "2098-12-31T23:00:00Z"}
    assert parse_schedule(None, None) is None
