"""How fast files are checksummed, against reading them only."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figure import Figure
from coverslip.slides.crc32c import CHUNK_BYTES, crc32c_file

_SIZE_BYTES = 2_000_000_000


def measure() -> Iterator[Figure]:
    """GB/s of a file that is in the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        block = bytes(range(256)) * (CHUNK_BYTES // 256)
        with path.open("wb") as file:
            for _ in range(_SIZE_BYTES // len(block)):
                file.write(block)
        size = path.stat().st_size
        reading = min(_seconds(lambda: _read(path)) for _ in range(3))
        checking = min(_seconds(lambda: crc32c_file(path)) for _ in range(3))
    rate, peer = size / checking / 1e9, size / reading / 1e9
    yield Figure(
        "CRC32C of a cached file", f"{rate:.1f} GB/s", "never the bottleneck", f"reading alone {peer:.1f} GB/s"
    )


def _read(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(CHUNK_BYTES):
            pass


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
