"""The arithmetic of levels, keys and caps."""

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.scheduling.order_rules import (
    CREDIT_S,
    HALF_LIFE_S,
    NEVER_SERVED,
    SHORTEST_DURATION_S,
    UNKNOWN_DURATION_S,
    Caps,
    charged,
    expected_s,
    level_on_arrival,
    organization_key,
    run_key,
    served_s,
    start_level,
)

NOW_S = datetime(2027, 1, 1, tzinfo=UTC).timestamp()

times = st.floats(NOW_S - 365 * 86400, NOW_S + 100 * 365 * 86400)
seconds = st.floats(0.01, 1e7)
weights = st.floats(0.001, 1000)
levels = st.one_of(st.just(NEVER_SERVED), st.floats(15_000, 60_000))


@given(seconds, weights, times)
def test_a_level_stands_for_the_seconds_that_were_charged(used_s: float, weight: float, at_s: float) -> None:
    level = charged(NEVER_SERVED, used_s, weight=weight, at_s=at_s)
    assert served_s(level, at_s=at_s) == pytest.approx(used_s / weight, rel=1e-6)


@given(seconds, times, st.integers(0, 100))
def test_service_counts_half_after_each_half_life(used_s: float, at_s: float, half_lives: int) -> None:
    level = charged(NEVER_SERVED, used_s, weight=1, at_s=at_s)
    later_s = at_s + half_lives * HALF_LIFE_S
    assert served_s(level, at_s=later_s) == pytest.approx(used_s / 2**half_lives, rel=1e-6)


@given(seconds, seconds, weights, times, st.floats(0, HALF_LIFE_S))
def test_what_is_given_back_leaves_what_was_used(
    expected: float, took: float, weight: float, at_s: float, later: float
) -> None:
    before = charged(NEVER_SERVED, 3600, weight=1, at_s=at_s - later)
    started = charged(before, expected, weight=weight, at_s=at_s)
    ended = charged(started, took - expected, weight=weight, at_s=at_s)
    known = charged(before, took, weight=weight, at_s=at_s)
    scale = max(served_s(started, at_s=at_s), served_s(known, at_s=at_s))
    assert served_s(ended, at_s=at_s) == pytest.approx(served_s(known, at_s=at_s), abs=1e-6 * scale)


@given(levels, seconds, weights, times)
def test_service_raises_a_level_and_giving_back_lowers_it(
    level: float, used_s: float, weight: float, at_s: float
) -> None:
    assert (
        charged(level, -used_s, weight=weight, at_s=at_s) <= level <= charged(level, used_s, weight=weight, at_s=at_s)
    )
    assert charged(level, 0, weight=weight, at_s=at_s) == level


@given(levels, levels, st.one_of(st.none(), levels), times)
def test_who_arrives_is_level_with_the_least_served_or_keeps_its_own(
    own: float, frontier: float, least_waiting: float | None, at_s: float
) -> None:
    arrived = level_on_arrival(own, least_waiting=least_waiting, frontier=frontier, at_s=at_s)
    assert arrived >= own
    if least_waiting is None:
        assert arrived == max(own, frontier)
    else:
        assert arrived == max(own, start_level(least_waiting, frontier=frontier, at_s=at_s))


@given(levels, st.one_of(st.just(0.0), seconds), times)
def test_nobody_starts_further_behind_than_the_credit(level: float, used_s: float, at_s: float) -> None:
    frontier = charged(NEVER_SERVED, used_s, weight=1, at_s=at_s)
    level = min(level, frontier)
    start = start_level(level, frontier=frontier, at_s=at_s)
    behind_s = served_s(frontier, at_s=at_s) - served_s(start, at_s=at_s)
    assert start >= level
    assert behind_s <= CREDIT_S + 1e-6 * served_s(frontier, at_s=at_s)


def test_after_a_century_levels_are_still_finite_and_apart() -> None:
    at_s = NOW_S + 100 * 365.25 * 86400
    all_of_10_000_slots_s = 10_000 * HALF_LIFE_S / math.log(2)
    level = charged(NEVER_SERVED, all_of_10_000_slots_s, weight=1, at_s=at_s)
    assert served_s(charged(level, 1, weight=1, at_s=at_s), at_s=at_s) - served_s(level, at_s=at_s) == pytest.approx(
        1, rel=0.02
    )


@pytest.mark.parametrize(("mean_s", "charge_s"), [(None, UNKNOWN_DURATION_S), (0.01, SHORTEST_DURATION_S), (90, 90)])
def test_what_an_item_is_charged_when_it_starts(mean_s: float | None, charge_s: float) -> None:
    assert expected_s(mean_s) == charge_s


def test_caps_allow_up_to_their_number() -> None:
    caps = Caps(max_items=3, max_items_per_user=2, max_items_per_run=1)
    assert caps.allow(of_organization=3, of_user=2, of_run=1)
    assert not caps.allow(of_organization=4, of_user=2, of_run=1)
    assert not caps.allow(of_organization=3, of_user=3, of_run=1)
    assert not caps.allow(of_organization=3, of_user=2, of_run=2)
    assert Caps().allow(of_organization=10**6, of_user=10**6, of_run=10**6)


def test_the_keys_say_who_is_first() -> None:
    day = datetime(2027, 1, 1, tzinfo=UTC)
    assert organization_key(NEVER_SERVED, "b") < organization_key(1.0, "a") < organization_key(1.0, "b")

    def key(processing: int, due: int, submitted: int, number: int) -> object:
        due_by, submitted_at = day + timedelta(due), day + timedelta(submitted)
        return run_key(
            processing=processing, items_at_once=4, due_by=due_by, submitted_at=submitted_at, run_id=UUID(int=number)
        )

    in_order = [key(3, 1, 5, 9), key(0, 2, 1, 9), key(0, 2, 2, 1), key(0, 2, 2, 2), key(4, 0, 0, 0), key(9, 1, 0, 0)]
    assert in_order == sorted(in_order)  # type: ignore[type-var]
