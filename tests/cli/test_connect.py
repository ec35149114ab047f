"""`coverslip connect`: the settings of the published client, as shells and files take them."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from coverslip.cli.connect import FIRST_LINE, Setting, env_block
from coverslip.cli.main import app
from coverslip.service.identity.commands import new_link
from harness.people import Person
from harness.service import TestService

SHELL = shutil.which("sh") or "sh"


def coverslip(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def in_a_shell(block: str, name: str) -> str:
    """What a shell takes a variable for that has read the block."""
    script = f'eval "$1" >&2; printf %s "${name}"'
    return subprocess.run([SHELL, "-c", script, "sh", block], capture_output=True, check=True).stdout.decode()


@pytest.fixture
def person(service: TestService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody who has logged in on a computer of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("COVERSLIP_API_ROOT", service.url)
    person = service.member()
    secret = service.run(new_link(service.context.database, email=person.email, only_first=False))
    assert coverslip("user", "login", "--link", f"{service.url}/welcome?link={secret}").exit_code == 0
    return person


def test_the_settings_say_where_and_who(service: TestService, person: Person) -> None:
    block = coverslip("connect").stdout
    as_json = json.loads(coverslip("connect", "--format", "json").stdout)
    assert block.startswith(FIRST_LINE)
    assert person.email in block
    assert {name: in_a_shell(block, name) for name in as_json} == as_json
    assert as_json["AIGNOSTICS_TOKEN_URL"] == f"{service.url}/oauth/token"
    assert "AIGNOSTICS_REFRESH_TOKEN" not in as_json, "a login is given out only when asked for"
    assert stat.S_IMODE(Path(as_json["AIGNOSTICS_CACHE_DIR"]).stat().st_mode) == 0o700


def test_a_login_of_its_own_is_listed_and_can_be_ended(service: TestService, person: Person) -> None:
    settings = json.loads(coverslip("connect", "--with-refresh-token", "--format", "json").stdout)
    form = {
        "grant_type": "refresh_token",
        "client_id": settings["AIGNOSTICS_CLIENT_ID_INTERACTIVE"],
        "refresh_token": settings["AIGNOSTICS_REFRESH_TOKEN"],
    }
    assert service.http.post(settings["AIGNOSTICS_TOKEN_URL"], data=form).status_code == 200
    session = person.get("/api/coverslip/v1/sessions").json()[0]
    assert session["label"].startswith("coverslip connect on ")
    assert person.delete(f"/api/coverslip/v1/sessions/{session['session_id']}").status_code == 204
    assert service.http.post(settings["AIGNOSTICS_TOKEN_URL"], data=form).status_code == 400
    assert coverslip("connect").exit_code == 0, "the login of our own command goes on"


def test_the_file_is_private_and_may_be_written_again(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "for the client.env"
    for _ in range(2):
        written = coverslip("connect", "--write", file, "--with-refresh-token")
        assert written.exit_code == 0, written.output
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert written.stdout == ""
    assert "set -a; ." in written.stderr
    assert len(in_a_shell(file.read_text(), "AIGNOSTICS_REFRESH_TOKEN")) > 40
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".connect-")] == []


def test_files_of_others_are_left_alone(person: Person, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SECRET=mine\n")
    refused = coverslip("connect", "--write", file, "--with-refresh-token")
    assert refused.exit_code == 2
    assert "CLIENT.NOT_OUR_FILE" in refused.stderr
    assert file.read_text() == "SECRET=mine\n"
    assert [one["client_id"] for one in person.get("/api/coverslip/v1/sessions").json()] == ["coverslip-cli"]
    assert coverslip("connect", "--write", tmp_path).exit_code == 2
    assert "CLIENT.FOLDER_UNUSABLE" in coverslip("connect", "--write", tmp_path / "no" / "where").stderr
    assert coverslip("connect", "--write", tmp_path / "x", "--format", "json").exit_code == 2


def test_somebody_must_be_logged_in(person: Person) -> None:
    coverslip("user", "logout")
    refused = coverslip("connect")
    assert refused.exit_code == 1
    assert "coverslip user login" in refused.stderr


# What a server or a path may hold: anything but NUL, which no variable can.
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(value=VALUES, why=VALUES, purpose=VALUES)
def test_a_value_is_a_value_whatever_it_holds(value: str, why: str, purpose: str) -> None:
    block = env_block([Setting("NAME", value, why), Setting("LAST", "1")], purpose)
    script = 'set -eu; eval "$1"; printf "%s.%s" "$NAME" "$LAST"'
    ended = subprocess.run([SHELL, "-c", script, "sh", block], capture_output=True, check=True, cwd="/")
    assert ended.stdout.decode() == f"{value}.1"
    assert ended.stderr == b""


@pytest.mark.parametrize("value", ["$(touch /tmp/x)", "`id`", "a\nPATH=b", "it's", "'; id; '", 'a"b\\c', "#x"])
def test_hostile_values(value: str) -> None:
    assert in_a_shell(env_block([Setting("NAME", value)], f"{value}\nid"), "NAME") == value
