"""Commands in this process, against a platform over real sockets."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coverslip.cli.main import app

SLIDES = Path(__file__).parents[3] / "shared" / "slides"
MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"


def coverslip(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def logged_in(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COVERSLIP_POLL_INTERVAL_S", "0.01")
    assert coverslip("user", "login", "--link", f"{platform.url}/welcome?link=login-1").exit_code == 0
    return platform


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    shutil.copy(SLIDES / "CMU-1-Small-Region.svs", folder / "one.svs")
    shutil.copy(SLIDES / "CMU-1-Small-Region.pyramid.tif", folder / "two.tif")
    return folder


def test_every_group_has_help() -> None:
    for group in ([], ["user"], ["application"], ["application", "run"], ["application", "run", "result"], ["system"]):
        assert coverslip(*group, "--help").exit_code == 0


def test_the_first_login_needs_more_than_the_link(platform: Any) -> None:
    link = f"{platform.url}/welcome?link=first"
    refused = coverslip("user", "login", "--link", link)
    assert refused.exit_code == 2
    assert "CLIENT.SETUP_INCOMPLETE" in refused.stderr
    assert "--organization" in refused.stderr
    details = ("--organization", "Example", "--email", "ada@example.org", "--name", "Ada", "--password-stdin")
    done = coverslip("user", "login", "--link", link, *details, stdin="a long password\n")
    assert done.exit_code == 0
    assert f"Logged in to {platform.url} as ada@example.org." in done.stdout


def test_login_by_device_shows_code_and_address(platform: Any) -> None:
    platform.pending_device_polls.append("authorization_pending")
    done = coverslip("user", "login")
    assert done.exit_code == 0
    assert "ABCD-EFGH" in done.stderr
    assert "/device?user_code=ABCD-EFGH" in done.stderr


def test_whoami_hides_secrets_unless_asked(logged_in: Any) -> None:
    masked = json.loads(coverslip("user", "whoami", "--format", "json").stdout)
    shown = json.loads(coverslip("user", "whoami", "--format", "json", "--no-mask-secrets").stdout)
    key = "aignostics_bucket_hmac_secret_access_key"
    assert (masked["organization"][key], shown["organization"][key]) == ("********", "secret")


def test_logout_forgets(logged_in: Any) -> None:
    assert coverslip("user", "logout").exit_code == 0
    assert coverslip("user", "logout").exit_code == 2
    answer = coverslip("user", "whoami")
    assert answer.exit_code == 1
    assert "coverslip user login" in answer.stderr


def test_applications_are_listed_and_described(logged_in: Any) -> None:
    assert "1.10.0" in coverslip("application", "list").stdout
    assert "Artifacts: 1 input(s), 2 output(s)" in coverslip("application", "list", "--verbose").stdout
    assert "tissue_qc:geojson_polygons" in coverslip("application", "describe", "he-tme", "--verbose").stdout
    listed = json.loads(coverslip("application", "list", "--format", "json").stdout)
    assert [application["application_id"] for application in listed] == ["test-app", "he-tme"]


def test_an_unknown_application_is_told_with_code_and_remedy(logged_in: Any) -> None:
    answer = coverslip("application", "describe", "nonsense")
    assert answer.exit_code == 2
    assert answer.stderr == "Error CATALOG.APPLICATION_NOT_FOUND: application not found\nList them first.\n"
    as_json = coverslip("application", "describe", "nonsense", "--format", "json")
    assert as_json.stdout == ""
    assert json.loads(as_json.stderr)["error"]["code"] == "CATALOG.APPLICATION_NOT_FOUND"


def test_execute_goes_from_slides_to_results(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    (slides / "broken.svs").write_bytes(b"broken")
    table = tmp_path / "work" / "slides.csv"
    done = coverslip("application", "run", "execute", "he-tme", table, slides, "--mapping", MAPPING, "--note", "n")
    assert done.exit_code == 0, done.output
    (run_id,) = logged_in.runs
    assert f"Submitted run with id '{run_id}' for 'he-tme (version: 1.10.0)'." in done.stdout
    assert "2 slide(s) in" in done.stdout
    assert "broken.svs" in done.stderr
    assert f"4 file(s) in {table.parent / run_id}" in done.stdout
    assert len(list((table.parent / run_id).rglob("*.json"))) == 2
    told = done.stderr.splitlines()
    changes = ["one.svs: processing", "one.svs: succeeded", "two.tif: processing", "two.tif: succeeded"]
    assert [line for line in told if line in changes] == changes
    assert "1/3 " + str(slides / "broken.svs") in told[0]
    assert told[1:3] == ["2/3 one.svs: read", "3/3 two.tif: read"]
    assert {line.split()[0] for line in told[3:5]} == {"1/2", "2/2"}
    assert {line.split(" ", 1)[1] for line in told[3:5]} == {"one.svs: done", "two.tif: done"}
    assert sorted(line.split()[0] for line in told if "tissue_qc" in line) == ["1/4", "2/4", "3/4", "4/4"]
    assert "\x1b" not in done.output
    assert not table.with_name("slides.submission.json").exists()


def test_execute_after_an_interruption_goes_on_with_the_same_run(
    logged_in: Any, slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    command = ("application", "run", "execute", "test-app", tmp_path / "slides.csv", slides)
    with monkeypatch.context() as patch:
        patch.setattr("coverslip.workflow.results.bring_results", interrupt)
        stopped = coverslip(*command)
    (run_id,) = logged_in.runs
    assert stopped.exit_code == 130
    assert f"The run {run_id} goes on. To go on: coverslip" in stopped.stderr
    done = coverslip(*command)
    assert done.exit_code == 0
    assert f"Going on with run '{run_id}'" in done.stdout
    assert list(logged_in.runs) == [run_id]


def test_a_run_that_is_gone_is_not_waited_for(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    command = ("application", "run", "execute", "test-app", tmp_path / "slides.csv", slides)
    assert coverslip(*command, "--no-wait-for-completion").exit_code == 0
    logged_in.runs.clear()
    assert coverslip(*command).exit_code == 0
    assert len(logged_in.runs) == 1


@pytest.mark.parametrize(("outcome", "code"), [("USER_ERROR", 2), ("SYSTEM_ERROR", 1)])
def test_a_failed_slide_shows_in_table_and_exit_code(
    logged_in: Any, slides: Path, tmp_path: Path, outcome: str, code: int
) -> None:
    logged_in.outcomes["two.tif"] = outcome
    done = coverslip("application", "run", "execute", "test-app", tmp_path / "slides.csv", slides)
    assert done.exit_code == code
    assert "SLIDE.NO_TISSUE: No tissue was found." in done.stderr
    assert outcome.lower() in done.stdout


def test_the_steps_do_what_execute_does(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    assert coverslip("application", "run", "prepare", "test-app", table, slides).exit_code == 0
    unsent = coverslip("application", "run", "submit", "test-app", table)
    assert (unsent.exit_code, "WORKFLOW.NOT_UPLOADED" in unsent.stderr) == (2, True)
    assert "2 sent, 0 were there" in coverslip("application", "run", "upload", "test-app", table).stdout
    submitted = coverslip("application", "run", "submit", "test-app", table, "--tags", "b,a", "--note", "my note")
    (run_id,) = logged_in.runs
    assert run_id in submitted.stdout
    assert run_id in coverslip("application", "run", "submit", "test-app", table).stdout
    assert len(logged_in.runs) == 1
    downloaded = coverslip("application", "run", "result", "download", run_id, tmp_path / "out", "--format", "json")
    document = json.loads(downloaded.stdout)
    assert len(document["files"]) == 4
    assert document["items"][0]["termination_reason"] == "SUCCEEDED"
    coverslip("application", "run", "submit", "test-app", table)
    assert len(logged_in.runs) == 2


def test_a_table_the_version_refuses_is_not_uploaded(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    done = coverslip("application", "run", "execute", "he-tme", tmp_path / "slides.csv", slides)
    assert done.exit_code == 2
    assert "  - row 2 (one.svs): staining_method is missing" in done.stderr
    assert logged_in.objects == {}


def test_a_folder_without_slides_ends_with_2(logged_in: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = coverslip("application", "run", "prepare", "test-app", tmp_path / "slides.csv", tmp_path / "empty")
    assert done.exit_code == 2
    assert not (tmp_path / "slides.csv").exists()


def test_runs_are_listed_described_cancelled_and_deleted(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    assert "You did not yet create a run." in coverslip("application", "run", "list").stdout
    table = tmp_path / "slides.csv"
    command = ("execute", "test-app", table, slides, "--no-wait-for-completion", "--note", "\x1b[31mred")
    assert coverslip("application", "run", *command).exit_code == 0
    (run_id,) = logged_in.runs
    listed = coverslip("application", "run", "list", "--verbose").stdout
    assert run_id in listed
    assert "\x1b" not in listed
    assert json.loads(coverslip("application", "run", "list", "--limit", "1", "--format", "json").stdout)
    assert "one.svs" in coverslip("application", "run", "describe", run_id).stdout
    described = json.loads(coverslip("application", "run", "describe", run_id, "--format", "json").stdout)
    assert len(described["items"]) == 2
    logged_in.frozen = True
    logged_in.runs[run_id]["state"] = "PROCESSING"
    assert coverslip("application", "run", "cancel", run_id).exit_code == 0
    assert coverslip("application", "run", "cancel", run_id).exit_code == 1
    assert coverslip("application", "run", "result", "delete", run_id).exit_code == 0
    gone = coverslip("application", "run", "result", "download", run_id, tmp_path / "out")
    assert gone.exit_code == 2
    assert "The results of 2 slide(s) cannot be downloaded: they have been deleted by a user." in gone.stderr
    assert "file(s) in" not in gone.stdout
    for arguments in ([], ["--summarize"]):
        described = coverslip("application", "run", "describe", run_id, *arguments)
        assert "results      deleted by a user" in described.stdout
    described = coverslip("application", "run", "describe", "4711")
    assert described.exit_code == 1, "as the published client"
    assert "Failed to retrieve run details" in described.stderr
    assert coverslip("application", "run", "cancel", "4711").exit_code == 2


def test_metadata_that_changed_since_is_not_overwritten(logged_in: Any, slides: Path, tmp_path: Path) -> None:
    coverslip("application", "run", "execute", "test-app", tmp_path / "s.csv", slides, "--no-wait-for-completion")
    (run_id,) = logged_in.runs
    run = ("application", "run")
    dumped = json.loads(coverslip(*run, "dump-metadata", run_id, "--show-checksum").stdout)
    assert dumped["custom_metadata"]["sdk"]["submission"]["interface"] == "cli"
    update = (*run, "update-metadata", run_id, '{"study": 1}', "--checksum", dumped["checksum"])
    assert [coverslip(*update).exit_code, coverslip(*update).exit_code] == [0, 3]
    assert coverslip(*run, "update-metadata", run_id, "[").exit_code == 2


def test_wsi_inspect_tells_size_and_resolution() -> None:
    path = SLIDES / "CMU-1-Small-Region.svs"
    assert "2220 × 2967 px" in coverslip("wsi", "inspect", path).stdout
    document = json.loads(coverslip("wsi", "inspect", path, "--format", "json").stdout)
    assert document["info"]["mpp"] == pytest.approx(0.499)
    assert coverslip("wsi", "inspect", "nowhere.svs").exit_code == 2


def configured() -> dict[str, dict[str, str]]:
    return {row["setting"]: row for row in json.loads(coverslip("system", "config", "--format", "json").stdout)}


def test_settings_are_shown_with_their_source(platform: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = configured()
    assert rows["COVERSLIP_API_ROOT"] == {
        "setting": "COVERSLIP_API_ROOT",
        "value": platform.url,
        "source": "environment",
    }
    assert rows["COVERSLIP_READ_TIMEOUT_S"]["source"] == "default"
    monkeypatch.delenv("COVERSLIP_API_ROOT")
    assert configured()["COVERSLIP_API_ROOT"]["source"] == "default"
    address = tmp_path / "home" / "run" / "platform.json"
    address.parent.mkdir(parents=True)
    address.write_text(json.dumps({"url": platform.url}))
    found = configured()["COVERSLIP_API_ROOT"]
    assert (found["value"], str(address) in found["source"]) == (platform.url, True)
    (tmp_path / ".env").write_text("COVERSLIP_API_ROOT=http://from.the.file\n")
    found = configured()["COVERSLIP_API_ROOT"]
    assert (found["value"], found["source"]) == ("http://from.the.file", str(tmp_path / ".env"))


def test_health_is_shown(platform: Any) -> None:
    assert json.loads(coverslip("system", "health").stdout)["status"] == "UP"


def test_a_bad_setting_ends_with_78(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_API_ROOT", "not an address")
    answer = coverslip("user", "whoami")
    assert (answer.exit_code, "COVERSLIP_API_ROOT" in answer.stderr) == (78, True)


def test_a_bug_is_told_without_a_traceback(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coverslip.platform.client.Client.health", lambda client: 1 / 0)
    answer = coverslip("system", "health")
    assert answer.exit_code == 1
    assert "Traceback" not in answer.stderr
    assert "COVERSLIP_DEBUG=1" in answer.stderr
    monkeypatch.setenv("COVERSLIP_DEBUG", "1")
    assert "Traceback" in coverslip("system", "health").stderr


@pytest.mark.parametrize("command", [["up"], ["system", "login-link"], ["system", "openapi"]])
def test_commands_of_the_server_say_what_to_install(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    answer = coverslip(*command)
    assert (answer.exit_code, "pip install 'coverslip[server]'" in answer.stderr) == (1, True)
