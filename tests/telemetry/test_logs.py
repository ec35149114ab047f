"""Log lines: their form, and the ids they carry."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from coverslip.telemetry.ids import current_ids, note_ids, working_on
from coverslip.telemetry.logs import LogFormat, LogLevel, configure_logs

log = logging.getLogger("coverslip.tests")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """The lines on standard error; the configuration of the tests is back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()  # configuring closes what is there
    yield lambda: capsys.readouterr().err.splitlines()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_of_json_says_what_is_worked_on(written: Callable[[], list[str]]) -> None:
    configure_logs(LogFormat.JSON, LogLevel.INFO)
    with working_on(run_id=7, item_id="a"):
        log.warning("a “slide” of %d px\nis large", 3)
    log.debug("not of interest")
    (line,) = written()
    told = json.loads(line)
    age = datetime.now(UTC) - datetime.fromisoformat(told.pop("time"))
    assert abs(age.total_seconds()) < 60
    assert told == {
        "level": "WARNING",
        "logger": "coverslip.tests",
        "message": "a “slide” of 3 px\nis large",
        "run_id": "7",
        "item_id": "a",
    }


def test_an_exception_is_a_part_of_its_line(written: Callable[[], list[str]]) -> None:
    configure_logs(LogFormat.JSON, LogLevel.INFO)
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("it failed")
    (line,) = written()
    assert json.loads(line)["exception"].endswith("ValueError: no")


def test_a_line_of_text_ends_with_the_ids(written: Callable[[], list[str]]) -> None:
    configure_logs(LogFormat.TEXT, LogLevel.INFO)
    log.info("without")
    with working_on(run_id="r"):
        log.info("with")
    lines = written()
    assert lines[0].endswith("INFO coverslip.tests without")
    assert lines[1].endswith("INFO coverslip.tests with [run_id=r]")


def test_requests_of_the_http_client_are_not_told(written: Callable[[], list[str]]) -> None:
    configure_logs(LogFormat.TEXT, LogLevel.INFO)
    logging.getLogger("httpx").info("GET https://store/slide?signature=secret")
    assert written() == []


def test_ids_belong_to_a_task() -> None:
    async def work(name: str) -> dict[str, str]:
        note_ids(item_id=name)
        await asyncio.sleep(0)
        return dict(current_ids())

    async def both() -> list[dict[str, str]]:
        with working_on(run_id="r"):
            return list(await asyncio.gather(work("a"), work("b")))

    assert asyncio.run(both()) == [{"run_id": "r", "item_id": "a"}, {"run_id": "r", "item_id": "b"}]
    assert dict(current_ids()) == {}
