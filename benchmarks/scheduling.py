"""How fairly and how punctually the queue serves, simulated with the product's own rules.

It writes its results and pictures into the documentation; they depend on nothing but the rules.
"""

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import fmean

from benchmarks.figure import Figure
from benchmarks.queue_measures import fairness, lateness_s, quantile
from benchmarks.queue_simulator import (
    FairQueue,
    Queue,
    Start,
    Submission,
    earliest_due,
    first_come,
    simulate,
)
from benchmarks.queue_workloads import GREEDY, HOUR_S, MEAN_ITEM_S, flood, working_days
from benchmarks.svg import Curve, write_chart
from coverslip.service.scheduling.order_rules import NEVER_SERVED, charged

_DOCS = Path(__file__).parents[1] / "docs"
_PAGE = _DOCS / "explanation" / "how-runs-are-ordered.md"
_BEGIN, _END = "<!-- simulation: written by `python -m benchmarks scheduling` -->\n", "<!-- end of simulation -->\n"

_ORGANIZATIONS, _ITEMS, _SLOTS, _DAYS, _SEED = 10_000, 1_000_000, 250, 3, 7
_FAIR, _FIFO, _EDF = "Coverslip", "first come, first served", "earliest due first"
_LATECOMER_ITEMS = 3


def measure() -> Iterator[Figure]:
    """Three working days of 10,000 organizations in the product's order and in two simpler ones, then a flood."""
    submissions = working_days(days=_DAYS, organizations=_ORGANIZATIONS, items=_ITEMS, seed=_SEED)
    queues: Mapping[str, Queue] = {
        _FAIR: FairQueue(charge_s=MEAN_ITEM_S),
        _FIFO: first_come(),
        _EDF: earliest_due(),
    }
    starts: dict[str, list[Start]] = {}
    for name, queue in queues.items():
        began = time.perf_counter()
        starts[name] = list(simulate(submissions, queue, slots=_SLOTS))
        if name == _FAIR:
            seconds = time.perf_counter() - began
            yield Figure(f"queue: {_ITEMS:,} items of {_ORGANIZATIONS:,} organizations simulated", f"{seconds:.0f} s")
    figures = [
        _fairness(submissions, starts),
        *_lateness(submissions, starts),
        _hurry(starts),
        *_flood(),
    ]
    yield from figures
    _draw_waits(submissions, starts)
    _draw_return()
    _write(figures)


def _small(submissions: Sequence[Submission]) -> set[str]:
    """The nine tenths of the organizations that submit least."""
    items: Counter[str] = Counter()
    for submission in submissions:
        items[submission.organization_id] += len(submission.durations_s)
    return {name for name, _ in items.most_common()[len(items) // 10 :]}


def _of(names: set[str], starts: Sequence[Start]) -> list[Start]:
    return [start for start in starts if start.submission.organization_id in names]


def _fairness(submissions: Sequence[Submission], starts: Mapping[str, Sequence[Start]]) -> Figure:
    curves = []
    means = {}
    for name, found in starts.items():
        by_hour = fairness(submissions, found, window_s=HOUR_S)
        means[name] = fmean(index for _, index in by_hour)
        curves.append(Curve(name, [(middle_s / HOUR_S, index) for middle_s, index in by_hour]))
    title = "Fairness of each hour between the organizations that waited all through it"
    write_chart(_DOCS / "pictures" / "queue-fairness.svg", title, "hours", "Jain's index", curves)
    peers = ", ".join(f"{name} {means[name]:.3f}" for name in (_FIFO, _EDF))
    return Figure("queue: fairness of an hour (Jain's index)", f"{means[_FAIR]:.3f}", "", peers)


def _lateness(submissions: Sequence[Submission], starts: Mapping[str, Sequence[Start]]) -> Iterator[Figure]:
    everybody = {submission.organization_id for submission in submissions} - {GREEDY}
    for whose, names in (("all", everybody), ("the smaller nine tenths", _small(submissions) - {GREEDY})):
        said = {name: _said_of_lateness(lateness_s(_of(names, found))) for name, found in starts.items()}
        peers = "; ".join(f"{name}: {said[name]}" for name in (_FIFO, _EDF))
        yield Figure(f"queue: items ended after their due date, of {whose}", said[_FAIR], "", peers)


def _said_of_lateness(lateness: Sequence[float]) -> str:
    late = [seconds for seconds in lateness if seconds > 0]
    if not late:
        return "none"
    p50, p95 = (quantile(late, share) / HOUR_S for share in (0.5, 0.95))
    return f"{len(late) / len(lateness):.1%}, by p50 {p50:.1f} h, p95 {p95:.1f} h, at most {late[-1] / HOUR_S:.1f} h"


def _hurry(starts: Mapping[str, Sequence[Start]]) -> Figure:
    """What it earns to call everything urgent."""
    waits = {}
    for name, found in starts.items():
        waited = sorted(start.started_s - start.submission.at_s for start in _of({GREEDY}, found))
        waits[name] = quantile(waited, 0.5) / HOUR_S
    peers = ", ".join(f"{name} {waits[name]:.1f} h" for name in (_FIFO, _EDF))
    what = "queue: median wait of the one that submits a tenth of all items, each due within the hour"
    return Figure(what, f"{waits[_FAIR]:.1f} h", "", peers)


def _flood() -> Iterator[Figure]:
    """Whoever comes to a platform on which everybody waits for hours."""
    submissions = flood(organizations=_ORGANIZATIONS, items=20, latecomer_items=_LATECOMER_ITEMS)
    waits: list[float] = []
    for start in simulate(submissions, FairQueue(charge_s=MEAN_ITEM_S), slots=_SLOTS):
        if start.submission is submissions[-1]:
            waits.append(start.started_s - start.submission.at_s)
            if len(waits) == _LATECOMER_ITEMS:
                break
    # Of each of the others so many items may start before, and one that was to start at the same time.
    bounds = [ceil(_ORGANIZATIONS * (number + 1) / _SLOTS) * MEAN_ITEM_S for number in range(_LATECOMER_ITEMS)]
    for number, (wait_s, bound_s) in enumerate(zip(waits, bounds, strict=True), start=1):
        yield Figure(
            f"queue: wait of a newcomer's item {number} behind {_ORGANIZATIONS:,} organizations",
            f"{wait_s / 60:.0f} min",
            f"<= {bound_s / 60:.0f} min",
        )


def _draw_waits(submissions: Sequence[Submission], starts: Mapping[str, Sequence[Start]]) -> None:
    small = _small(submissions)
    curves = []
    for name, found in starts.items():
        waits = sorted(start.started_s - start.submission.at_s for start in _of(small, found))
        steps = [(quantile(waits, percent / 100) / HOUR_S, percent) for percent in range(100)]
        curves.append(Curve(name, [*steps, (waits[-1] / HOUR_S, 100)]))
    title = "Items of the smaller nine tenths of the organizations that have started"
    write_chart(_DOCS / "pictures" / "queue-waits.svg", title, "hours after submission", "% of items", curves)


def _draw_return() -> None:
    """Three organizations, of which one has been idle for a year and comes for three hours."""
    window_s, end_s, slots = HOUR_S / 6, 8 * HOUR_S, 60
    busy = {name: charged(NEVER_SERVED, 1e6, weight=1, at_s=0) for name in ("always there", "twice the weight")}
    submissions = [Submission(0, name, [MEAN_ITEM_S] * 100_000) for name in busy]
    submissions.append(Submission(2 * HOUR_S, "idle for a year", [MEAN_ITEM_S] * 2700))
    counts: Counter[tuple[str, int]] = Counter()
    queue = FairQueue({"twice the weight": 2}, charge_s=MEAN_ITEM_S, levels=busy)
    for start in itertools.takewhile(lambda start: start.started_s < end_s, simulate(submissions, queue, slots=slots)):
        counts[start.submission.organization_id, int(start.started_s // window_s)] += 1
    in_all = slots * window_s / MEAN_ITEM_S
    curves = [
        Curve(
            name,
            [((n + 0.5) * window_s / HOUR_S, 100 * counts[name, n] / in_all) for n in range(int(end_s // window_s))],
        )
        for name in (*busy, "idle for a year")
    ]
    write_chart(_DOCS / "pictures" / "queue-return.svg", "Back after an idle year", "hours", "% of slots", curves)


def _write(figures: Sequence[Figure]) -> None:
    rows = [f"| {one.name.removeprefix('queue: ')} | {one.result} | {one.aim or one.peer} |" for one in figures]
    table = "\n".join(["| what | result | bound, or the simpler orders |", "|---|---|---|", *rows])
    before, _, rest = _PAGE.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _PAGE.write_text(f"{before}{_BEGIN}{table}\n{_END}{after}")
