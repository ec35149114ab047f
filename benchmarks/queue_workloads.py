"""What is submitted to the simulated platform, made from a seed."""

import random
from itertools import accumulate

from benchmarks.queue_simulator import Submission

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
MEAN_ITEM_S = 60.0
GREEDY = "in-a-hurry"
"""The organization that wants everything within the hour."""

_WORK_BEGINS_S, _WORK_S = 8 * HOUR_S, 10 * HOUR_S


def working_days(*, days: int, organizations: int, items: int, seed: int) -> list[Submission]:
    """Days on which laboratories of very different size submit between 8 and 18 o'clock.

    Each submits a run, and how many more follows Zipf's law, so that the largest tenth submits most of the items. A
    third of the runs has a due date between 2 and 24 hours ahead. One organization submits a tenth of everything, all
    of it due within the hour.
    """
    chance = random.Random(seed)
    names = [f"lab-{number}" for number in range(organizations - 1)]
    shares = list(accumulate(1 / (number + 10) for number in range(len(names))))
    submissions: list[Submission] = []
    left = items
    each = iter(names)
    while left > 0:
        greedy = chance.random() < 0.1
        name = GREEDY if greedy else next(each, None) or chance.choices(names, cum_weights=shares)[0]
        size = min(left, 500, max(1, round(chance.lognormvariate(3, 1))))
        at_s = chance.randrange(days) * DAY_S + _WORK_BEGINS_S + chance.random() * _WORK_S
        due_s = None
        if greedy:
            due_s = at_s + HOUR_S
        elif chance.random() < 1 / 3:
            due_s = at_s + chance.uniform(2, 24) * HOUR_S
        durations = [MEAN_ITEM_S * chance.lognormvariate(-0.125, 0.5) for _ in range(size)]  # their mean is MEAN_ITEM_S
        submissions.append(Submission(at_s, name, durations, due_s))
        left -= size
    return sorted(submissions, key=lambda submission: submission.at_s)


def flood(*, organizations: int, items: int, latecomer_items: int) -> list[Submission]:
    """Everybody has more waiting than can be processed, and then one more organization comes with a few items."""
    many = [Submission(0, f"lab-{number}", [MEAN_ITEM_S] * items) for number in range(organizations)]
    return [*many, Submission(HOUR_S, "latecomer", [MEAN_ITEM_S] * latecomer_items)]
