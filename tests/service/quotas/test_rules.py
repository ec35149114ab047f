"""Months, balances and prices, without a database."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.quotas import Cost, QuotaHolder, QuotaName, SlidePrice
from coverslip.service.quotas.price_rules import cost_of, faults_of_prices, price_of
from coverslip.service.quotas.rules import Balance, excesses, month_of, sentence

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 2), datetime(9999, 11, 29), timezones=offsets)  # noqa: DTZ001
numbers = st.integers(0, 1000)


class TestMonths:
    @given(moments)
    def test_a_moment_lies_in_its_month(self, moment: datetime) -> None:
        month = month_of(moment)
        assert month.start <= moment < month.end
        in_utc = moment.astimezone(UTC)
        assert (month.start.year, month.start.month) == (in_utc.year, in_utc.month)

    @given(moments)
    def test_a_month_is_a_whole_calendar_month_in_utc(self, moment: datetime) -> None:
        month = month_of(moment)
        assert month.end - month.start == timedelta(days=monthrange(month.start.year, month.start.month)[1])
        for edge in (month.start, month.end):
            assert edge.utcoffset() == timedelta(0)
            assert (edge.day, edge.hour, edge.minute, edge.second, edge.microsecond) == (1, 0, 0, 0, 0)

    @given(moments)
    def test_months_follow_each_other_without_gap_or_overlap(self, moment: datetime) -> None:
        month = month_of(moment)
        assert month_of(month.end).start == month.end
        assert month_of(month.end - timedelta(microseconds=1)) == month
        assert month_of(month.start) == month

    @pytest.mark.parametrize(
        ("moment", "start", "end"),
        [
            ("2028-02-29T12:00:00+00:00", "2028-02-01", "2028-03-01"),
            ("2026-12-31T23:59:59.999999+00:00", "2026-12-01", "2027-01-01"),
            ("2027-01-01T00:00:00+00:00", "2027-01-01", "2027-02-01"),
            ("2027-01-01T00:30:00+01:00", "2026-12-01", "2027-01-01"),
            ("2026-11-30T19:30:00-05:00", "2026-12-01", "2027-01-01"),
        ],
    )
    def test_examples(self, moment: str, start: str, end: str) -> None:
        month = month_of(datetime.fromisoformat(moment))
        assert (f"{month.start:%Y-%m-%d}", f"{month.end:%Y-%m-%d}") == (start, end)


def balance(limit: int | None, used: int) -> Balance:
    return Balance(QuotaName.PARALLEL_RUNS, QuotaHolder.USER, limit, used)


class TestBalances:
    @given(numbers, numbers, numbers)
    def test_exactly_what_remains_may_be_asked_for(self, limit: int, used: int, asked: int) -> None:
        found = balance(limit, used)
        assert found.remaining is not None
        assert found.has_room_for(found.remaining)
        assert not found.has_room_for(found.remaining + 1)
        assert found.has_room_for(asked) == (excesses([(found, asked)]) == [])

    @given(numbers, numbers)
    def test_without_a_limit_there_is_always_room(self, used: int, asked: int) -> None:
        found = balance(None, used)
        assert found.remaining is None
        assert excesses([(found, asked)]) == []

    @given(numbers, numbers, st.integers(-1000, 0))
    def test_giving_back_is_never_refused(self, limit: int, used: int, asked: int) -> None:
        assert balance(limit, used).has_room_for(asked)

    @given(numbers, numbers)
    def test_a_refusal_says_all_that_matters(self, used: int, limit: int) -> None:
        reset = datetime(2026, 12, 1, tzinfo=UTC)
        full = Balance(QuotaName.SLIDES_PER_MONTH, QuotaHolder.ORGANIZATION, limit, used, reset)
        (excess,) = excesses([(full, limit + 1)])
        told = sentence(excess)
        for part in (
            f"of {limit} slides",
            f"for {limit + 1} more",
            f"{used} used",
            "organization's",
            "2026-12-01 00:00",
        ):
            assert part in told


def slide_price(amount: str, version: str | None = None, application: str = "he-tme") -> SlidePrice:
    return SlidePrice(application_id=application, version_number=version, amount=Decimal(amount), currency="EUR")


class TestPrices:
    def test_the_price_of_the_version_comes_first(self) -> None:
        general, special = slide_price("2"), slide_price("1", "1.3.0")
        assert price_of([general, special]) is special
        assert price_of([special, general]) is special
        assert price_of([general]) is general
        assert price_of([]) is None

    @given(st.decimals(0, 1000, places=4), numbers)
    def test_costs_are_exact(self, amount: Decimal, slides: int) -> None:
        cost = cost_of(slide_price(str(amount)), slides)
        assert cost == Cost(amount=sum([amount] * slides, Decimal(0)), currency="EUR")
        assert Decimal(cost.model_dump()["amount"]) == cost.amount

    def test_money_is_written_plainly(self) -> None:
        written = [
            Cost(amount=Decimal(text), currency="EUR").model_dump()["amount"] for text in ("0", "100", "12.5000")
        ]
        assert written == ["0.00", "100.00", "12.50"]

    def test_what_cannot_have_a_price(self) -> None:
        known: set[tuple[str, str | None]] = {("he-tme", None), ("he-tme", "1.3.0"), ("test-app", None)}
        fine = [slide_price("1"), slide_price("1", "1.3.0")]
        assert faults_of_prices(fine, known) == []
        faulty = [*fine, slide_price("2"), slide_price("1", "9.0.0"), slide_price("1", application="test-app")]
        assert faults_of_prices(faulty, known) == [
            "he-tme has two prices",
            "there is no he-tme 9.0.0",
            "test-app is free for everybody",
        ]
