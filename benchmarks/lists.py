"""Lists and filters on a platform with a million items, and how many requests a second the service answers."""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

from benchmarks.figure import Figure
from benchmarks.load import requests_per_second
from benchmarks.running import running_platform, superuser_url
from coverslip import platform
from coverslip.embedded.ports import free_port

_REPETITIONS = 100
_AIM = "<= 50 ms p95"
_FILTER_AIM = "<= 500 ms p95"


def measure() -> Iterator[Figure]:
    """p50 and p95 of a hundred repetitions of each list, then requests per second beside a bare route."""
    with running_platform() as client:
        me = client.me()
        with psycopg.connect(superuser_url(), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            whose = {"organization": me.organization.id, "member": me.user.id}
            connection.execute(Path(__file__).with_name("crowd.sql").read_text(), whose)
            for table in ("run", "item", "input_artifact", "output_artifact"):
                connection.execute(f"vacuum analyze {table}")
            done = "state = 'TERMINATED' and organization_id = %(organization)s"
            run_id = connection.execute(f"select id from run where {done} limit 1", whose).fetchone()[0]
            item = connection.execute("select external_id from item where run_id = %s", [run_id]).fetchone()[0]
        for what, path, aim in _reads(run_id, item, me.organization.id):
            yield Figure(f"1,000,000 items: {what}", _latencies(client, path), aim)
        yield from _rates(client, f"/api/v1/runs/{run_id}")


def _reads(run_id: str, item: str, organization_id: str) -> Iterator[tuple[str, str, str]]:
    runs, items = "/api/v1/runs", f"/api/v1/runs/{run_id}/items"
    yield "newest 50 of 20,000 runs", runs, _AIM
    yield "the 100th page", f"{runs}?page=100", _AIM
    yield "runs of the organization", f"{runs}?for_organization={organization_id}", _AIM
    yield "runs of an application version", f"{runs}?application_id=test-app&application_version=1.0.0", _AIM
    yield "runs with a slide, by its external id", f"{runs}?external_id={quote(item, safe='')}", _AIM
    yield "one run", f"{runs}/{run_id}", _AIM
    yield "items of a run", items, _AIM
    yield "items of a run by state", f"{items}?state=TERMINATED", _AIM
    yield "one item", f"{items}/{quote(item, safe='')}", _AIM
    for what, path, aim in (
        ("metadata equality", '$.study ? (@ == "study-17")', _AIM),
        ("metadata existence", "$.sdk.note", _FILTER_AIM),
        ("metadata like_regex", '$.sdk.note ? (@ like_regex "urgent.*case 12" flag "i")', _FILTER_AIM),
        ("metadata tags", '$.sdk.tags[*] ? (@ == "batch-3" || @ == "site-5")', _FILTER_AIM),
        ("metadata that nothing matches", '$.sdk.note ? (@ like_regex "never there")', _FILTER_AIM),
    ):
        yield what, f"{runs}?sort=-submitted_at&custom_metadata={quote(path, safe='')}", aim


def _latencies(client: platform.Client, path: str) -> str:
    seconds = []
    for _ in range(_REPETITIONS):
        started = time.perf_counter()
        client.api.request("GET", path)
        seconds.append(time.perf_counter() - started)
    cuts = statistics.quantiles(seconds, n=20)
    return f"p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms"


def _rates(client: platform.Client, path: str) -> Iterator[Figure]:
    for what, asked in (("list 50 runs", "/api/v1/runs"), ("read a run", path)):
        host, port = urlsplit(client.api_root).hostname or "", urlsplit(client.api_root).port or 80
        answer = client.api.request("GET", asked)
        ours = requests_per_second(host, port, asked, {"Authorization": answer.request.headers["Authorization"]})
        with _bare_route(answer.content) as bare_port:
            bare = requests_per_second(host, bare_port, "/document", {})
        yield Figure(
            f"{what}, four clients", f"{ours:.0f} /s, {ours / bare:.0%}", "", f"bare FastAPI route {bare:.0f} /s"
        )


@contextmanager
def _bare_route(document: bytes) -> Iterator[int]:
    port = free_port()
    program = [sys.executable, "-m", "benchmarks.bare_route", str(port)]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(document)
        process.stdin.close()
        while not _accepts(port):
            time.sleep(0.05)
        try:
            yield port
        finally:
            process.terminate()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
