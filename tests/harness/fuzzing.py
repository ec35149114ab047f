"""How many examples a test draws that looks for what nobody thought of."""

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings

EFFORT = int(os.environ.get("FUZZ_EFFORT", "1"))
"""How many times as many examples as usual. The usual ones are the same in every run; those of a longer search are
new each time, and pytest's option ``--hypothesis-seed`` repeats a search."""


def bounds(examples: int, **more: Any) -> settings:
    """The bounds of a search that makes so many examples.

    What it finds is not made smaller: services keep what earlier requests did to them.
    """
    return settings(
        max_examples=examples * EFFORT,
        derandomize=EFFORT == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        **more,
    )
