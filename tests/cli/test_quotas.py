"""Quotas, usage and prices on the command line of the real service."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from coverslip.service.access.principal import Role
from harness.people import Person
from harness.quotas import set_quotas
from harness.service import TestService

SLIDE = Path(__file__).parents[3] / "shared" / "slides" / "CMU-1-Small-Region.svs"
QUOTAS, PRICES = ("organization", "quotas"), ("organization", "prices")


def coverslip(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(*arguments: object) -> Any:
    done = coverslip(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def ada(service: TestService, sign_in: Callable[[Person], None]) -> Person:
    """Somebody signed in."""
    ada = service.member()
    sign_in(ada)
    return ada


@pytest.fixture
def operator(service: TestService) -> Person:
    return service.person(service.organization(), Role.SUPER_ADMIN)


def test_quotas_are_shown_before_anything_is_refused(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=20)
    ada.submit("a", "b")
    lines = coverslip("user", "quotas").stdout.splitlines()
    assert [line.split() for line in lines if line.startswith(("slides per month", "users"))] == [
        ["slides", "per", "month", "your", "organization", "20", "2", "18", lines[1].split()[-3], "00:00", "UTC"],
        ["users", "your", "organization", "unlimited", "1"],
        ["slides", "per", "month", "you", "unlimited", "2", lines[1].split()[-3], "00:00", "UTC"],
    ]
    assert printed("user", "quotas")["organization"]["slides_per_month"]["remaining"] == 18


def test_usage_is_shown_by_month(service: TestService, ada: Person) -> None:
    ada.submit("a", "b")
    service.worker().finish_all()
    service.database.rows("update slide_usage set succeeded_at = '2026-02-28 23:59:59+00'")
    shown = coverslip("user", "usage", "--month", "2026-02").stdout
    assert f"2026-02  test-app     {ada.user_id}" in shown
    assert "2 slide(s) from 2026-02-01 to 2026-02-28, no cost." in shown
    assert "0 slide(s) from" in coverslip("user", "usage").stdout
    assert printed("user", "usage", "--month", "2026-02")["rows"][0]["slides"] == 2
    for month in ("2026-13", "februar", "2026"):
        refused = coverslip("user", "usage", "--month", month)
        assert refused.exit_code == 2
        assert "write it as 2026-11" in refused.stderr


def test_an_administrator_sets_what_a_user_may(
    service: TestService, ada: Person, sign_in: Callable[[Person], None]
) -> None:
    sign_in(service.person(ada.organization_id, Role.ADMIN))
    assert coverslip(*QUOTAS, "set", "--user", ada.user_id, "--slides-per-month", 5).exit_code == 0
    found = printed(*QUOTAS, "set", "--user", ada.user_id, "--parallel-runs", 1)
    assert found["limits"] == {"slides_per_month": 5, "parallel_runs": 1}, "what is not named stays"
    found = printed(*QUOTAS, "set", "--user", ada.user_id, "--slides-per-month", "unlimited")
    assert found["limits"] == {"slides_per_month": None, "parallel_runs": 1}
    assert printed(*QUOTAS, "show", "--user", ada.user_id) == found
    refused = coverslip(*QUOTAS, "set", "--slides-per-month", 5)
    assert refused.exit_code == 1
    assert "super administrator" in refused.stderr
    assert printed("organization", "usage")["organization_id"] == ada.organization_id


@pytest.mark.parametrize(
    "options", [("--parallel-runs", "few"), ("--parallel-runs", "-1"), ("--user", "u", "--users", "3")]
)
def test_what_cannot_be_set(ada: Person, options: tuple[str, ...]) -> None:
    assert coverslip(*QUOTAS, "set", *options).exit_code == 2


def test_an_operator_sets_quotas_and_prices(
    service: TestService, operator: Person, ada: Person, sign_in: Callable[[Person], None]
) -> None:
    assert coverslip(*QUOTAS, "show").exit_code == 1, "not for plain members"
    sign_in(operator)
    of_ada = ("--organization", ada.organization_id)
    assert printed(*QUOTAS, "set", *of_ada, "--storage-bytes", 10**12)["limits"]["storage_bytes"] == 10**12
    assert "1000000000000" in coverslip(*QUOTAS, "show", *of_ada).stdout
    assert coverslip(*PRICES, "show", *of_ada).stdout == "Everything is free.\n"
    refused = coverslip(*PRICES, "set", "test-app", "1", *of_ada)
    assert refused.exit_code == 2
    assert "test-app is free for everybody" in refused.stderr
    assert coverslip(*PRICES, "set", "he-tme", "much", *of_ada).exit_code == 2
    assert coverslip(*PRICES, "set", "he-tme", "free", *of_ada).exit_code == 0


def test_a_refused_run_says_why_and_what_to_do(operator: Person, ada: Person, tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    for name in ("one.svs", "two.svs"):
        shutil.copy(SLIDE, slides / name)
    set_quotas(operator, ada.organization_id, slides_per_month=1, slides_per_run=1)
    execute = ("application", "run", "execute", "test-app", tmp_path / "metadata.csv", slides)
    refused = coverslip(*execute, "--no-wait-for-completion")
    assert refused.exit_code == 1
    assert "Error QUOTA.EXCEEDED: Your organization's quota of 1 slides in a calendar month" in refused.stderr
    assert "1 slides in one run" in refused.stderr
    assert "`coverslip user quotas` shows what is left" in refused.stderr
    set_quotas(operator, ada.organization_id)
    assert coverslip(*execute, "--no-wait-for-completion").exit_code == 0, "the same command goes on"
