"""The commands that say why a slide ended as it did, on the real service."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coverslip import __version__
from coverslip.cli.main import app
from harness.people import Person, item_request
from harness.service import TestService

RUN = ("application", "run")
SIGNATURE = "0123456789abcdef-signature"
SOURCE = f"https://ada:hunter2@slides.example/s.svs?X-Goog-Signature={SIGNATURE}&x=1"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
LOG = f"reading tiles\nfailed at {SOURCE}\nAuthorization: Bearer {JWT}\nsecret=open-sesame\nbye\x1b[2J\n"


def coverslip(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def ada(service: TestService, sign_in: Callable[[Person], None]) -> Person:
    """Somebody signed in."""
    ada = service.member()
    sign_in(ada)
    return ada


@pytest.fixture
def run_id(service: TestService, ada: Person) -> str:
    """A run of two slides: one crashed its application once and succeeded then, nobody has taken the other."""
    custom = {"patient": "Mrs Miller", "sdk": {"platform_bucket": {"signed_download_url": SOURCE}}}
    items = [item_request(name, url=SOURCE, custom_metadata=custom) for name in ("cases/one.svs", "two")]
    run_id = ada.submit(items=items, custom_metadata=custom)
    worker = service.worker()
    worker.must_lease().report(
        "SYSTEM_ERROR",
        error_code="APPLICATION.CRASHED",
        error_message=f"Ended by SIGSEGV at {SOURCE}.",
        exit_cause="CRASHED",
        ended_by="SIGSEGV",
        stages=[{"stage": "fetching the slide", "duration_s": 1.5}, {"stage": "counting", "duration_s": 2.25}],
        log=LOG,
        peak_memory_mb=321,
    ).raise_for_status()
    worker.must_lease().succeed()
    return run_id


def test_describe_shows_what_workers_did_with_a_slide(run_id: str) -> None:
    done = coverslip(*RUN, "describe", run_id, "--item", "cases/one.svs", "--attempts")
    assert done.exit_code == 0, done.output
    for shown in ("attempt 1, on tests", "CRASHED (SIGSEGV)", "APPLICATION.CRASHED", "321 MB", "2.2 s  counting"):
        assert shown in done.stdout
    assert "attempt 2, on tests" in done.stdout
    assert "SUCCEEDED" in done.stdout
    assert "    reading tiles" in done.stdout
    assert "\x1b" not in done.stdout
    assert "two" not in done.stdout.split("SLIDE")[1], "the other slide was not asked for"


def test_describe_shows_attempts_to_programs(run_id: str) -> None:
    done = coverslip(*RUN, "describe", run_id, "--item", "cases/one.svs", "--attempts", "--format", "json")
    (item,) = json.loads(done.stdout)["items"]
    assert [attempt["exit_cause"] for attempt in item["attempts"]] == ["CRASHED", "SUCCEEDED"]
    assert item["attempts"][0]["log"] == LOG


def test_a_slide_that_waits_has_no_attempts(run_id: str) -> None:
    done = coverslip(*RUN, "describe", run_id, "--item", "two", "--attempts")
    assert (done.exit_code, "No worker has taken this slide yet." in done.stdout) == (0, True)
    assert "attempts" not in json.loads(coverslip(*RUN, "describe", run_id, "--format", "json").stdout)["items"][0]


@pytest.mark.parametrize("wrong", [("--attempts",), ("--item", "three", "--attempts")])
def test_attempts_of_no_slide_are_not_there(run_id: str, wrong: tuple[str, ...]) -> None:
    assert coverslip(*RUN, "describe", run_id, *wrong).exit_code == 2


def bundle_of(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name.removesuffix(".json"): json.loads(bundle.read(name)) for name in bundle.namelist()}


def test_a_support_bundle_has_what_a_helper_needs(run_id: str, service: TestService) -> None:
    done = coverslip(*RUN, "support-bundle", run_id)
    assert done.exit_code == 0, done.output
    bundle = bundle_of(Path(f"support-{run_id}.zip"))
    assert bundle["run"]["run_id"] == run_id
    assert [item["external_id"] for item in bundle["items"]] == ["cases/one.svs", "two"]
    crashed, succeeded = bundle["attempts"]["cases/one.svs"]
    assert (crashed["exit_cause"], succeeded["exit_cause"]) == ("CRASHED", "SUCCEEDED")
    assert crashed["log"].startswith("reading tiles\nfailed at https://slides.example/s.svs\n")
    assert bundle["attempts"]["two"] == []
    assert "download_url" not in str(bundle), "where slides come from is their submitter's alone"
    assert bundle["events"][0]["kind"] == "run.submitted"
    assert bundle["about"]["client"]["version"] == bundle["about"]["platform"]["version"] == __version__
    assert bundle["about"]["left_out"] == {}
    assert {request["status"] for request in bundle["requests"]} == {200}
    assert all(request["request_id"] for request in bundle["requests"])


@pytest.mark.parametrize("more", [(), ("--with-metadata",)])
def test_a_support_bundle_holds_nothing_secret(
    run_id: str, ada: Person, service: TestService, tmp_path: Path, more: tuple[str, ...]
) -> None:
    path = tmp_path / "out.zip"
    assert coverslip(*RUN, "support-bundle", run_id, path, *more).exit_code == 0
    with zipfile.ZipFile(path) as bundle:
        text = "".join(bundle.read(name).decode() for name in bundle.namelist())
    for secret in (SIGNATURE, "hunter2", JWT, "open-sesame", ada.token, "signature=", "Signature=", "?"):
        assert secret not in text, secret
    assert ("Mrs Miller" in text) == bool(more)
    assert list(path.parent.glob("*.part")) == []


def test_a_reader_gets_a_support_bundle_without_logs(
    run_id: str, ada: Person, service: TestService, sign_in: Callable[[Person], None]
) -> None:
    viewer = service.member()
    ada.grant("run", run_id, "user", viewer.user_id)
    sign_in(viewer)
    assert coverslip(*RUN, "support-bundle", run_id, "out.zip").exit_code == 0
    crashed, _ = bundle_of(Path("out.zip"))["attempts"]["cases/one.svs"]
    assert (crashed["exit_cause"], crashed["log"]) == ("CRASHED", None)


def test_no_support_bundle_is_written_of_what_is_not_there(ada: Person) -> None:
    missing = "11111111-2222-4333-8444-555555555555"
    assert coverslip(*RUN, "support-bundle", missing, "out.zip").exit_code == 2
    assert not Path("out.zip").exists()


def test_a_folder_that_is_not_there_is_told(run_id: str) -> None:
    done = coverslip(*RUN, "support-bundle", run_id, "nowhere/out.zip")
    assert done.exit_code == 2
    assert "CLIENT.FOLDER_UNUSABLE" in done.stderr
