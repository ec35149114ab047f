"""What a slide costs: pure rules on price lists."""

from collections.abc import Collection, Iterable

from coverslip.contract.quotas import Cost, SlidePrice

FREE_APPLICATIONS = frozenset({"test-app"})
"""Whoever has an account may try these; nothing that they process is ever charged."""


def price_of(fitting: Iterable[SlidePrice]) -> SlidePrice | None:
    """Of the prices that fit a version, its own before that of all versions; None if it is free."""
    return min(fitting, key=lambda price: price.version_number is None, default=None)


def cost_of(price: SlidePrice | None, slides: int) -> Cost | None:
    """What so many slides cost at a price."""
    return Cost(amount=price.amount * slides, currency=price.currency) if price is not None else None


def faults_of_prices(prices: Iterable[SlidePrice], known: Collection[tuple[str, str | None]]) -> list[str]:
    """Why ``prices`` cannot be set, where ``known`` are the applications, without version, and their versions."""
    faults = []
    seen: set[tuple[str, str | None]] = set()
    for price in prices:
        what = (price.application_id, price.version_number)
        called = " ".join(part for part in what if part)
        if price.application_id in FREE_APPLICATIONS:
            faults.append(f"{price.application_id} is free for everybody")
        elif what not in known:
            faults.append(f"there is no {called}")
        elif what in seen:
            faults.append(f"{called} has two prices")
        seen.add(what)
    return faults
