"""What is said about the order in which items were started."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.queue_simulator import Start, Submission


def jain_index(values: Sequence[float]) -> float:
    """1 if all got the same, 1/n if one got all (Jain, Chiu, Hawe 1984)."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def fairness(
    submissions: Iterable[Submission], starts: Sequence[Start], *, window_s: float
) -> list[tuple[float, float]]:
    """The middle of each window, and Jain's index of what the organizations got that waited all through it."""
    served: dict[tuple[int, str], float] = defaultdict(float)
    for start in starts:
        served[int(start.started_s // window_s), start.submission.organization_id] += start.duration_s
    waiting: dict[int, list[str]] = defaultdict(list)
    for name, begin_s, end_s in backlogs(submissions, starts):
        for window in range(int(-(-begin_s // window_s)), int(end_s // window_s)):
            waiting[window].append(name)
    return [
        ((window + 0.5) * window_s, jain_index([served[window, name] for name in names]))
        for window, names in sorted(waiting.items())
        if len(names) > 1
    ]


def backlogs(submissions: Iterable[Submission], starts: Iterable[Start]) -> Iterator[tuple[str, float, float]]:
    """The times in which each organization had items waiting, without a break."""
    changes: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for submission in submissions:
        changes[submission.organization_id].append((submission.at_s, len(submission.durations_s)))
    for start in starts:
        changes[start.submission.organization_id].append((start.started_s, -1))
    for name, steps in changes.items():
        waiting, begin_s = 0, 0.0
        for at_s, change in sorted(steps, key=lambda step: (step[0], -step[1])):
            if waiting == 0:
                begin_s = at_s
            waiting += change
            if waiting == 0:
                yield name, begin_s, at_s


def lateness_s(starts: Iterable[Start]) -> list[float]:
    """How long after its due date each item ended that has one, in order; negative for those in time."""
    return sorted(
        start.started_s + start.duration_s - start.submission.due_s
        for start in starts
        if start.submission.due_s is not None
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
