"""People on the command line of the real service."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coverslip.cli.main import app
from coverslip.service.identity.commands import new_link
from harness.people import Person
from harness.service import TestService


@pytest.fixture
def sign_in(service: TestService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Person], None]:
    """Become somebody, on a computer of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_API_ROOT", service.url)

    def become(person: Person) -> None:
        monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / person.user_id))
        secret = service.run(new_link(service.context.database, email=person.email, only_first=False))
        done = CliRunner().invoke(app, ["user", "login", "--link", f"{service.url}/welcome?link={secret}"])
        assert done.exit_code == 0, done.output

    return become
