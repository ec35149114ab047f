"""Submitting large runs, and how soon a free slot begins with an item."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from benchmarks.running import SAMPLE, running_platform
from coverslip import platform
from coverslip.contract.artifacts import InputArtifactCreationRequest
from coverslip.contract.items import ItemCreationRequest
from coverslip.contract.runs import RunState
from coverslip.slides.crc32c import crc32c_file

_ITEMS = 500
_ROUNDS = 20


def measure() -> Iterator[Figure]:
    """p50 and p95 of twenty repetitions each."""
    with running_platform() as client:
        checksum = crc32c_file(SAMPLE)
        url = client.upload(SAMPLE, checksum).download_url
        yield _submissions(client, url, checksum)
        yield _starts(client, url, checksum)


def _items(count: int, url: str, checksum: str) -> list[ItemCreationRequest]:
    slide = InputArtifactCreationRequest(
        name="whole_slide_image", download_url=url, metadata={"checksum_base64_crc32c": checksum}
    )
    return [ItemCreationRequest(external_id=f"slide-{number}", input_artifacts=[slide]) for number in range(count)]


def _submissions(client: platform.Client, url: str, checksum: str) -> Figure:
    items = _items(_ITEMS, url, checksum)
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run = client.runs.submit("test-app", items)
        seconds.append(time.perf_counter() - started)
        run.cancel()
    return Figure(f"submit {_ITEMS} items", _percentiles(seconds), "<= 1 s p95")


def _starts(client: platform.Client, url: str, checksum: str) -> Figure:
    items = _items(1, url, checksum)
    seconds = []
    for _ in range(_ROUNDS):
        time.sleep(1.0)  # the worker has a free slot and waits
        run = client.runs.submit("test-app", items)
        started = time.perf_counter()
        while run.details().state is RunState.PENDING:
            pass
        seconds.append(time.perf_counter() - started)
        while run.details().state is not RunState.TERMINATED:
            time.sleep(0.05)
    return Figure("free slot to item PROCESSING, as a client sees it", _percentiles(seconds), "<= 100 ms p95")


def _percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20)
    return f"p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms"
