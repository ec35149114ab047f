"""Runs the benchmarks and writes their figures into docs/quality.md: ``python -m benchmarks [NAME ...]``."""

import importlib
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.figure import Figure

NAMES = ("tiles", "checksum", "submission", "transfers", "phantom", "lists")
PAGE = Path(__file__).parents[1] / "docs" / "quality.md"
BEGIN, END = "<!-- benchmarks: written by `make bench` -->\n", "<!-- end of benchmarks -->\n"


def main() -> None:
    """Run the named benchmarks, or all; only all together are written down."""
    names = sys.argv[1:] or list(NAMES)
    rows: list[Figure] = []
    for name in names:
        for figure in _figures(name):
            rows.append(figure)
            print(f"{figure.name}: {figure.result}  [aim: {figure.aim or '-'}; peer: {figure.peer or '-'}]", flush=True)
    if names == list(NAMES):
        _write(rows)


def _figures(name: str) -> Iterator[Figure]:
    yield from importlib.import_module(f"benchmarks.{name}").measure()


def _write(rows: list[Figure]) -> None:
    memory_gb = psutil.virtual_memory().total / 1e9
    machine = f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}, {platform.system()}"
    table = ["| what | result | aim | peer in the same run |", "|---|---|---|---|"]
    table += [f"| {row.name} | {row.result} | {row.aim} | {row.peer} |" for row in rows]
    day = datetime.now(UTC).date().isoformat()
    text = f"Measured on {day}: {machine}.\n\n" + "\n".join(table) + "\n"
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}")


if __name__ == "__main__":
    main()
