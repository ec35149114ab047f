"""How long the stages of an attempt took, however many an application names."""

from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.attempts import MAX_STAGES
from coverslip.worker.stages import StageClock

STAGE_NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=300)
"""What is left of what an application says, see `coverslip.worker.engines.messages`."""


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_each_stage_has_its_time_and_the_last_goes_on() -> None:
    clock = Clock()
    stages = StageClock(clock)
    assert stages.durations() == []
    for stage, duration_s in (("fetching", 2), ("reading", 1), ("reading", 4), ("fetching", 0.5)):
        stages.enter(stage)
        clock.now_s += duration_s
    told = [(each.stage, each.duration_s) for each in stages.durations()]
    assert told == [("fetching", 2), ("reading", 5), ("fetching", 0.5)]
    clock.now_s += 1
    assert stages.durations()[-1].duration_s == 1.5


@given(st.lists(st.tuples(STAGE_NAMES, st.integers(0, 100)), max_size=3 * MAX_STAGES))
def test_no_time_is_lost_and_the_list_stays_short(entered: list[tuple[str, int]]) -> None:
    clock = Clock()
    stages = StageClock(clock)
    for stage, duration_s in entered:
        stages.enter(stage)
        clock.now_s += duration_s
    told = stages.durations()
    assert len(told) <= MAX_STAGES
    assert sum(each.duration_s for each in told) == sum(duration_s for _, duration_s in entered)


def test_stages_that_are_too_many_are_one() -> None:
    clock = Clock()
    stages = StageClock(clock)
    for number in range(2 * MAX_STAGES):
        stages.enter(f"tile {number}")
        clock.now_s += 1
    told = stages.durations()
    assert [each.stage for each in told[-2:]] == [f"tile {MAX_STAGES - 2}", "further stages"]
    assert told[-1].duration_s == MAX_STAGES + 1
