"""Runs the benchmarks and writes their figures into docs/quality.md: ``python -m benchmarks [NAME ...]``."""

import importlib
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.figure import Figure

NAMES = ("tiles", "checksum", "submission", "transfers", "phantom", "he_tme", "lists", "scheduling", "load_of_runs")
PAGE = Path(__file__).parents[1] / "docs" / "quality.md"
BEGIN, END = "<!-- benchmarks: written by `make bench` -->\n", "<!-- end of benchmarks -->\n"


def main() -> None:
    """Run the named benchmarks, or all, and write their figures down; those of others stay as they were."""
    names = sys.argv[1:] or list(NAMES)
    rows: list[Figure] = []
    for name in names:
        for figure in _figures(name):
            rows.append(figure)
            print(f"{figure.name}: {figure.result}  [aim: {figure.aim or '-'}; peer: {figure.peer or '-'}]", flush=True)
    _write(rows)


def _figures(name: str) -> Iterator[Figure]:
    yield from importlib.import_module(f"benchmarks.{name}").measure()


def _write(rows: list[Figure]) -> None:
    memory_gb = psutil.virtual_memory().total / 1e9
    machine = f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}, {platform.system()}"
    day = datetime.now(UTC).date().isoformat()
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    lines = {line.split(" | ")[0]: line for line in written.splitlines() if line.startswith("| ")}
    lines |= {f"| {row.name}": f"| {row.name} | {row.result} | {row.aim} | {row.peer} | {day} |" for row in rows}
    head = "| what | result | aim | peer in the same run | day |"
    table = [head, "|---|---|---|---|---|", *(line for name, line in lines.items() if name != "| what")]
    PAGE.write_text(f"{before}{BEGIN}Measured on {machine}.\n\n" + "\n".join(table) + f"\n{END}{after}")


if __name__ == "__main__":
    main()
