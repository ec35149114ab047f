"""`coverslip user quotas, usage`: what you may still do, what you did, what it cost."""

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from coverslip.cli.output import Format, FormatOption, print_json, print_table, say
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.contract.quotas import Cost, UsageResponse, UserBalances

app = typer.Typer()

UNLIMITED = "unlimited"


MonthOption = Annotated[str | None, typer.Option(help="Which month, such as 2026-11, in UTC; this one when absent.")]


def days_of(month: str | None) -> tuple[date, date] | tuple[()]:
    """``2026-11`` as its first and last day; nothing when absent."""
    if month is None:
        return ()
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise typer.BadParameter(f"'{month}' is no month; write it as 2026-11") from None
    return first, first.replace(day=monthrange(first.year, first.month)[1])


@app.command()
def quotas(style: FormatOption = Format.TEXT) -> None:
    """Show what you and your organization may still do, before anything is refused."""
    with open_client() as client:
        own = client.quotas.own()
    if style is Format.JSON:
        print_json(own.model_dump(mode="json"))
        return
    print_balances({"your organization": own.organization, "you": own.user})


@app.command()
def usage(month: MonthOption = None, style: FormatOption = Format.TEXT) -> None:
    """Show what was processed in a month and what it cost; administrators see it for everybody."""
    with open_client() as client:
        found = client.quotas.usage(*days_of(month))
    print_usage(found, style)


def print_balances(balances: "dict[str, UserBalances]") -> None:
    """A table of quotas, by whose they are."""
    rows = []
    for whose, of_holder in balances.items():
        for name, balance in of_holder:
            limit = UNLIMITED if balance.limit is None else balance.limit
            resets = f"{balance.resets_at:%Y-%m-%d %H:%M} UTC" if balance.resets_at else ""
            rows.append((name.replace("_", " "), whose, limit, balance.used, balance.remaining, resets))
    print_table(("QUOTA", "OF", "LIMIT", "USED", "LEFT", "STARTS ANEW"), rows)


def print_usage(found: "UsageResponse", style: Format) -> None:
    """A table of what was processed, then the sums."""
    if style is Format.JSON:
        print_json(found.model_dump(mode="json"))
        return
    if found.rows:
        rows = (
            (row.month, row.application_id, row.user_id, row.slides, row.reused_slides, _money(row.cost))
            for row in found.rows
        )
        print_table(("MONTH", "APPLICATION", "USER", "SLIDES", "REUSED", "COST"), rows)
    costs = " and ".join(_money(cost) for cost in found.costs) or "no cost"
    say(f"{found.slides} slide(s) from {found.first_day} to {found.last_day}, {costs}.")


def _money(cost: "Cost | None") -> str:
    """``12.50 EUR``, as the platform writes it."""
    return f"{cost.model_dump()['amount']} {cost.currency}" if cost is not None else "free"
