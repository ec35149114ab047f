"""The rounds that were played, kept in ``ledger.json``, and what the pages say of them."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from faults.finding import Kind
from faults.plan import KILLS, Fault
from faults.round import Outcome

REPOSITORY = Path(__file__).parents[1]
LEDGER = Path(__file__).with_name("ledger.json")

_BEGIN, _END = "<!-- faults: written by `make faults` -->\n", "<!-- end of faults -->\n"

Entry = dict[str, Any]


def read() -> list[Entry]:
    """All recorded rounds, in the order in which they were played."""
    entries: list[Entry] = json.loads(LEDGER.read_text())
    return entries


def next_seed() -> int:
    """The seed after the highest one recorded."""
    return max((entry["seed"] for entry in read()), default=0) + 1


def entry_of(outcome: Outcome) -> Entry:
    """What there is to keep of a round."""
    found = Counter(finding.kind for finding in outcome.findings)
    return {
        "seed": outcome.plan.seed,
        "items": sum(len(run.items) for run in outcome.plan.runs),
        "faults": {fault: outcome.struck[fault] for fault in Fault},
        "found": {kind: found[kind] for kind in Kind},
        "verdict": "not clean" if outcome.findings else "clean",
    }


def record(entry: Entry) -> None:
    """Add a round to the ledger, and write what that says now into the pages."""
    when = {"date": datetime.now(UTC).date().isoformat(), "revision": _revision()}
    lines = ",\n".join(json.dumps(each) for each in [*read(), when | entry])
    LEDGER.write_text(f"[\n{lines}\n]\n")
    for page, text in pages().items():
        page.write_text(text)


def pages() -> dict[Path, str]:
    """The pages that tell of the rounds, as they should be."""
    entries = read()
    told = {"README.md": _latest(entries), "docs/quality.md": _table(entries)}
    return {REPOSITORY / page: _with_block((REPOSITORY / page).read_text(), lines) for page, lines in told.items()}


def total(entries: Sequence[Entry]) -> str:
    """The counts of some rounds in one line."""
    sums = _sums(entries)
    kills = ", ".join(f"{victim} {count}" for victim, count in sums.kills.items())
    return f"{len(entries)} rounds, {sums.items} items; kills: {kills}; other faults {sums.others}; {_told(sums.found)}"


def _latest(entries: Sequence[Entry]) -> Iterator[str]:
    """The counts of the clean rounds after the last one that was not, or of that one if it is the latest."""
    rounds: list[Entry] = []
    for entry in entries:
        if not all(each["verdict"] == "clean" for each in (entry, *rounds)):
            rounds = []
        rounds.append(entry)
    sums = _sums(rounds)
    killed = sum(sums.kills.values())
    yield (
        f"{len(rounds)} rounds, {sums.items:,} slides, {killed:,} processes killed, {sums.others:,} other faults: "
        f"{_told(sums.found)}."
    )


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    """A row for each revision that rounds were played on, in order."""
    head = [
        "revision",
        "day",
        "rounds",
        "clean",
        "items",
        *(f"{fault} killed" for fault in KILLS),
        "other faults",
        *Kind,
    ]
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for revision_and_date, group in groupby(entries, key=lambda entry: (entry["revision"], entry["date"])):
        rounds = list(group)
        sums = _sums(rounds)
        clean = sum(entry["verdict"] == "clean" for entry in rounds)
        cells = [*revision_and_date, len(rounds), clean, sums.items, *sums.kills.values(), sums.others]
        yield f"| {' | '.join(str(cell) for cell in [*cells, *sums.found.values()])} |"
    yield ""
    yield f"In all: {total(entries)}."


@dataclass(frozen=True)
class _Sums:
    items: int
    kills: dict[Fault, int]
    others: int
    found: dict[Kind, int]


def _sums(entries: Sequence[Entry]) -> _Sums:
    faults = {fault: sum(entry["faults"].get(fault, 0) for entry in entries) for fault in Fault}
    return _Sums(
        items=sum(entry["items"] for entry in entries),
        kills={fault: faults[fault] for fault in KILLS},
        others=sum(count for fault, count in faults.items() if fault not in KILLS),
        found={kind: sum(entry["found"][kind] for entry in entries) for kind in Kind},
    )


def _told(found: dict[Kind, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in found.items())


def _with_block(page: str, lines: Iterable[str]) -> str:
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + "".join(f"{line}\n" for line in lines) + _END + after


def _revision() -> str:
    """The commit, with a plus sign if the platform or the suite has changed since."""
    changed = _git("status", "--porcelain", "--", "src", "faults", ":!faults/ledger.json")
    return _git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
