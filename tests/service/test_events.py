"""The events of a run: as a list, and while they happen."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverslip.contract.events import EventKind
from coverslip.service.access.principal import Principal, Role
from coverslip.service.events import stream
from coverslip.service.runs.commands import cancel_run
from harness.people import Person
from harness.service import TestService

LISTENING = "query ~ '^(listen coverslip|select 1)$'"
"""What the connection did last: it began to listen, or looked whether it still can."""

STREAM = {"Accept": "text/event-stream"}


def path(run_id: str) -> str:
    return f"/api/coverslip/v1/runs/{run_id}/events"


def listed(person: Person, run_id: str, **parameters: Any) -> list[dict[str, Any]]:
    response = person.get(path(run_id), params={"limit": 1000} | parameters)
    assert response.status_code == 200, response.text
    events: list[dict[str, Any]] = response.json()
    return events


@contextmanager
def opened(person: Person, run_id: str, after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """A stream as a browser opens it; yields the frames, comments among them, as they come."""
    headers = STREAM if after is None else STREAM | {"Last-Event-ID": str(after)}
    with person.stream("GET", path(run_id), headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield frames(response)


def frames(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """What the HTML Standard says a client reads."""
    frame: dict[str, Any] = {}
    for line in response.iter_lines():
        if not line:
            yield frame
            frame = {}
            continue
        name, _, value = line.partition(": ")
        frame[name or "comment"] = value


def events(found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The events of a stream, each checked against its own id and kind."""
    for frame in found:
        if "data" in frame:
            event = json.loads(frame["data"])
            assert (frame["id"], frame["event"]) == (str(event["number"]), event["kind"])
            yield event


def until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up_at, f"in vain waited for: {what}"
        time.sleep(0.01)


def watchers(service: TestService) -> int:
    """How many streams wait for events in the service."""
    waiting = service.context.notifications._waiting
    return sum(len(found) for topic, found in list(waiting.items()) if topic.startswith("events "))


class TestList:
    def test_what_happened_is_numbered_from_one(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a", "b")
        service.worker().finish_all()
        found = listed(ada, run_id)
        assert [event["number"] for event in found] == list(range(1, len(found) + 1))
        assert (found[0]["kind"], found[-1]["kind"]) == ("run.submitted", "run.terminated")
        assert found[0]["payload"] == {"item_count": 2}
        assert {event["kind"] for event in found} <= set(EventKind)
        ended = [event for event in found if event["kind"] == "item.terminated"]
        assert [event["external_id"] for event in ended] == ["a", "b"]
        assert {event["item_id"] for event in ended} == {item["item_id"] for item in ada.items(run_id)}
        assert all(event["occurred_at"].endswith("Z") for event in found)

    def test_pages(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a", "b", "c")
        service.worker().finish_all()
        whole, paged = listed(ada, run_id), []
        while page := listed(ada, run_id, after=paged[-1]["number"] if paged else 0, limit=4):
            assert len(page) <= 4
            paged += page
        assert paged == whole

    @pytest.mark.parametrize("wrong", [{"after": -1}, {"after": "x"}, {"after": 2**63}, {"limit": 0}, {"limit": 1001}])
    def test_what_is_no_number_is_not_valid(self, service: TestService, wrong: dict[str, Any]) -> None:
        ada = service.member()
        assert ada.get(path(ada.submit("a")), params=wrong).status_code == 422

    @pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
    def test_who_may_read_the_run_may_read_its_events(self, service: TestService, accept: str) -> None:
        here = service.organization()
        ada = service.person(here)
        run_id = ada.submit("a")
        ada.post(f"/api/v1/runs/{run_id}/cancel")
        readers = [ada, service.person(here, Role.ADMIN), service.person(service.organization(), Role.SUPER_ADMIN)]
        for reader in readers:
            assert reader.get(path(run_id), headers={"Accept": accept}).status_code == 200
        for other in (service.person(here), service.person(service.organization(), Role.ADMIN)):
            assert other.get(path(run_id), headers={"Accept": accept}).status_code == 404
        assert ada.get(path(str(UUID(int=1))), headers={"Accept": accept}).status_code == 404


class TestStream:
    def test_events_come_as_they_happen_until_the_run_has_ended(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            first = next(found)
            assert (first["id"], first["event"]) == ("1", "run.submitted")
            held = service.worker().must_lease()
            assert next(found)["event"] == "item.processing"
            assert next(found)["event"] == "run.processing"
            held.succeed()
            rest = list(found)
        assert rest[-2]["event"] == "run.terminated"
        assert rest[-1] == {"comment": "the run has ended"}
        assert watchers(service) == 0

    def test_a_stream_says_what_the_list_says(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a", "b")
        service.worker().finish_all()
        with opened(ada, run_id) as found:
            assert list(events(found)) == listed(ada, run_id)

    def test_it_goes_on_after_the_number_that_a_browser_or_the_address_names(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a")
        service.worker().finish_all()
        with opened(ada, run_id, after=3) as found:
            assert next(found)["id"] == "4"
        with_both = ada.get(path(run_id), headers=STREAM | {"Last-Event-ID": "3"}, params={"after": 1})
        assert next(frames(with_both))["id"] == "4"
        assert next(frames(ada.get(path(run_id), headers=STREAM, params={"after": 1})))["id"] == "2"

    def test_a_browser_is_told_not_to_come_again_after_the_end(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a")
        ada.post(f"/api/v1/runs/{run_id}/cancel")
        last = listed(ada, run_id)[-1]["number"]
        again = ada.get(path(run_id), headers=STREAM | {"Last-Event-ID": str(last)})
        assert (again.status_code, again.content) == (204, b"")

    def test_more_events_than_fit_a_page(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit(*(f"s{number}" for number in range(150)))
        ada.post(f"/api/v1/runs/{run_id}/cancel")
        with opened(ada, run_id) as found:
            numbers = [event["number"] for event in events(found)]
        assert numbers == list(range(1, 153))

    def test_it_is_kept_alive(self, service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream, "_KEEP_ALIVE_S", 0.05)
        ada = service.member()
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"
            for _ in range(3):
                assert next(found) == {"comment": "keep-alive"}
            ada.post(f"/api/v1/runs/{run_id}/cancel")
            assert [event["kind"] for event in events(found)] == ["item.terminated", "run.terminated"]

    def test_it_ends_after_a_while_and_the_client_comes_again(
        self, service: TestService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "_LONGEST_S", 0.2)
        ada = service.member()
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert [frame.get("id") or frame["comment"] for frame in found] == ["1", "keep-alive", "come again"]

    def test_it_ends_when_the_run_may_no_longer_be_read(self, service: TestService) -> None:
        here = service.organization()
        ada, boss = service.person(here), service.person(here, Role.ADMIN)
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"
            service.database.rows("update run set submitted_by = %s where id = %s", boss.user_id, run_id)
            boss.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
            assert list(found) == []

    def test_it_ends_when_its_reader_may_no_longer_sign_in(self, service: TestService) -> None:
        here = service.organization()
        ada, boss = service.person(here), service.person(here, Role.ADMIN)
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"
            service.database.rows("update user_account set disabled_at = now() where id = %s", ada.user_id)
            boss.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
            assert list(found) == []

    def test_one_user_has_so_many_and_no_more(self, service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("coverslip.service.events.routes.MOST_STREAMS", 2)
        ada, eve = service.member(), service.member()
        run_id, other_id = ada.submit("a"), eve.submit("a")
        with opened(ada, run_id) as first, opened(ada, run_id) as second:
            assert next(first)["id"] == next(second)["id"] == "1"
            refused = ada.get(path(run_id), headers=STREAM)
            assert refused.status_code == 429
            assert "2 event streams" in refused.json()["detail"]
            assert listed(ada, run_id)
            with opened(eve, other_id) as found:
                assert next(found)["id"] == "1"
        until(lambda: not service.context.event_readers, "the streams are gone")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"

    def test_what_happens_while_the_listening_connection_is_lost_comes_after_it(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"
            service.database.rows(f"select pg_terminate_backend(pid) from pg_stat_activity where {LISTENING}")
            ada.post(f"/api/v1/runs/{run_id}/cancel")
            assert [event["kind"] for event in events(found)] == ["item.terminated", "run.terminated"]

    def test_waiting_streams_hold_no_connection_and_share_one_that_listens(self, service: TestService) -> None:
        people = [service.member() for _ in range(3)]
        runs = [(person, person.submit("a")) for person in people for _ in range(10)]
        open_streams = [opened(person, run_id) for person, run_id in runs]
        found = [one.__enter__() for one in open_streams]
        try:
            assert {next(one)["id"] for one in found} == {"1"}
            until(lambda: watchers(service) == len(runs), "every stream waits")
            busy = "select query from pg_stat_activity where usename = 'service' and state <> 'idle'"
            until(lambda: not service.database.rows(busy), "no connection is in use")
            listening = service.database.rows(
                f"select pid from pg_stat_activity where usename = 'service' and {LISTENING}"
            )
            assert len(listening) == 1
        finally:
            for one in open_streams:
                one.__exit__(None, None, None)
        until(lambda: watchers(service) == 0, "every stream is gone")

    def test_a_client_that_vanishes_frees_what_it_held(self, service: TestService) -> None:
        ada = service.member()
        run_id = ada.submit("a")
        with opened(ada, run_id) as found:
            assert next(found)["id"] == "1"
            until(lambda: watchers(service) == 1, "the stream waits")
        until(lambda: watchers(service) == 0, "the stream is gone")

    def test_a_client_that_takes_nothing_is_given_up(
        self, service: TestService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "_SLOWEST_S", 0.3)
        ada = service.member()
        run_id = ada.submit("a")
        many = 20_000
        service.database.rows(
            "insert into event (run_id, number, organization_id, kind, payload) select %s, n, %s, 'run.pending', "
            "jsonb_build_object('filling', repeat('x', 1000)) from generate_series(2, %s) n",
            run_id,
            ada.organization_id,
            many,
        )
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect((httpx.URL(service.url).host, httpx.URL(service.url).port))
            lines = [f"GET {path(run_id)} HTTP/1.1", "Host: x", f"Authorization: Bearer {ada.token}"]
            raw.sendall("\r\n".join([*lines, "Accept: text/event-stream", "", ""]).encode())
            until(lambda: watchers(service) == 1, "the stream is open")
            until(lambda: watchers(service) == 0, "the stream is given up")


@pytest.mark.timeout(120)
@settings(max_examples=8)
@given(
    cuts=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    as_list=st.lists(st.booleans(), min_size=1, max_size=8),
    items=st.integers(1, 5),
    cancelled_after=st.integers(0, 6),
)
def test_no_number_is_missing_or_twice_however_often_the_client_comes_again(
    service: TestService, cuts: list[int], as_list: list[bool], items: int, cancelled_after: int
) -> None:
    """While two workers change the run, a reader goes away after so many events each time, and comes again."""
    ada = service.member()
    run_id = ada.submit(*(f"s{number}" for number in range(items)))

    def work() -> None:
        worker = service.worker()
        for _ in range(cancelled_after):
            if (held := worker.lease()) is None:
                return
            with suppress(httpx.HTTPStatusError):  # the other one may have cancelled the run
                held.write("tissue_qc:csv_class_information")
            held.report("USER_ERROR", error_code="X.Y", error_message="because")
        ada.post(f"/api/v1/runs/{run_id}/cancel")

    workers = [threading.Thread(target=work) for _ in range(2)]
    for thread in workers:
        thread.start()
    seen: list[dict[str, Any]] = []
    for turn in range(200):
        last, cut = seen[-1]["number"] if seen else 0, cuts[turn % len(cuts)]
        if as_list[turn % len(as_list)] and cut:
            seen += listed(ada, run_id, after=last, limit=cut)
        elif seen and seen[-1]["kind"] == "run.terminated":
            break
        else:
            with opened(ada, run_id, after=last) as found:
                for _, event in zip(range(cut or 1000), events(found), strict=False):
                    seen.append(event)
    for thread in workers:
        thread.join()
    assert [event["number"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen == listed(ada, run_id)
    assert seen[-1]["kind"] == "run.terminated"


def test_another_service_process_wakes_the_streams_of_this_one(
    service: TestService, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ada = service.member()
    run_id = ada.submit("a")
    with TestService(service.database, tmp_path_factory.mktemp("store")) as other, opened(ada, run_id) as found:
        assert next(found)["id"] == "1"
        caller = Principal(ada.user_id, ada.organization_id, ada.role)
        other.run(cancel_run(other.context, caller, UUID(run_id)))
        assert [event["kind"] for event in events(found)] == ["item.terminated", "run.terminated"]
