"""A platform on which 50 organizations wait: how fast items go through it, and how it answers meanwhile.

The application does nothing and has no results, so that nothing is measured but leases, reports and their records.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.figure import Figure
from benchmarks.running import running_platform, superuser_url
from coverslip import platform
from coverslip.embedded.home import open_home
from coverslip.embedded.secrets import ensure_secrets

_RUNS, _ITEMS_OF_A_RUN = 1_000, 100
_SLOTS = 8
_LIMIT_S = 540.0
_PROBE_EVERY_S = 0.2
_LEASES = "/api/worker/v1/leases"


def measure() -> Iterator[Figure]:
    """Let eight slots work through 100,000 items, for at most nine minutes."""
    with running_platform() as client:
        me = client.me()
        with psycopg.connect(superuser_url(), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            whose = {"organization": me.organization.id, "member": me.user.id}
            sizes = {"runs": _RUNS, "items": _ITEMS_OF_A_RUN}
            connection.execute(Path(__file__).with_name("many_runs.sql").read_text(), whose | sizes)
            connection.execute("analyze")
        token = ensure_secrets(open_home(Path(os.environ["COVERSLIP_HOME"]))).worker_token.read_text().strip()
        yield from _work(client, token)


def _work(client: platform.Client, token: str) -> Iterator[Figure]:
    began = time.perf_counter()
    over = threading.Event()
    slots = [_Slot(client.api_root, token, give_up_at=began + _LIMIT_S) for _ in range(_SLOTS)]
    probe = _Probe(client, over)
    for thread in (probe, *slots):
        thread.start()
    for slot in slots:
        slot.join()
    seconds = time.perf_counter() - began
    over.set()
    probe.join()
    starts_s = [start for slot in slots for start in slot.starts_s]
    in_all = _RUNS * _ITEMS_OF_A_RUN
    share = "all" if len(starts_s) == in_all else f"{len(starts_s) / in_all:.0%} of them in {seconds:.0f} s"
    what = f"50 organizations, {_RUNS:,} runs, {in_all:,} items"
    yield Figure(f"{what}: through {_SLOTS} slots", f"{len(starts_s) / seconds:.0f} /s, {share}")
    yield Figure(f"{what}: a free slot gets an item", _percentiles(starts_s), "<= 100 ms p95")
    for path, answers_s in probe.answers_s.items():
        yield Figure(f"{what}: {path} meanwhile", _percentiles(answers_s), "<= 50 ms p95")


def _percentiles(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=20)
    return f"p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms"


class _Slot(threading.Thread):
    """Takes one item after the other and reports its success at once, until there is none."""

    def __init__(self, root: str, token: str, *, give_up_at: float) -> None:
        super().__init__()
        self._connection = http.client.HTTPConnection(urlsplit(root).netloc)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._give_up_at = give_up_at
        self.starts_s: list[float] = []

    def run(self) -> None:
        room = {"cpu": 8, "memory_mb": 8000, "gpu": 0}
        versions = [{"application_id": "no-op", "version_number": "1.0.0"}]
        wanted = {"worker_name": "no-op", "versions": versions, "free": room, "total": room}
        while time.perf_counter() < self._give_up_at:
            asked = time.perf_counter()
            lease = self._post(_LEASES, wanted)
            if lease is None:
                return
            self.starts_s.append(time.perf_counter() - asked)
            own = {"Coverslip-Lease-Token": lease["lease_token"]}
            self._post(f"{_LEASES}/{lease['item_id']}/report", {"outcome": "SUCCEEDED"}, own)

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        self._connection.request("POST", path, json.dumps(body), self._headers | (headers or {}))
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 204), (answer.status, content)
        return json.loads(content) if content else None


class _Probe(threading.Thread):
    """A user who lists runs and reads one, again and again."""

    def __init__(self, client: platform.Client, over: threading.Event) -> None:
        super().__init__()
        self._client = client
        self._over = over
        self.answers_s: dict[str, list[float]] = {"list of runs": [], "a run": []}

    def run(self) -> None:
        runs = "/api/v1/runs"
        newest = self._client.api.request("GET", runs).json()[0]["run_id"]
        while not self._over.wait(_PROBE_EVERY_S):
            for what, path in zip(self.answers_s, (runs, f"{runs}/{newest}"), strict=True):
                asked = time.perf_counter()
                self._client.api.request("GET", path)
                self.answers_s[what].append(time.perf_counter() - asked)
