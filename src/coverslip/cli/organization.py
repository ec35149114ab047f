"""`coverslip organization`: quotas, usage and prices, for administrators."""

from typing import TYPE_CHECKING, Annotated

import typer

from coverslip.cli.output import Format, FormatOption, print_json, print_table, say
from coverslip.cli.quotas import UNLIMITED, MonthOption, days_of, print_balances, print_usage
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.contract.quotas import OrganizationQuotasResponse, SlidePrice, UserQuotasResponse
    from coverslip.platform.client import Client

app = typer.Typer(help="Administer an organization.", no_args_is_help=True)
quotas = typer.Typer(help="See and set quotas.", no_args_is_help=True)
prices = typer.Typer(help="See and set what slides cost.", no_args_is_help=True)
app.add_typer(quotas, name="quotas")
app.add_typer(prices, name="prices")


OrganizationOption = Annotated[str | None, typer.Option(help="Id of the organization; yours when absent.")]
LimitOption = Annotated[str | None, typer.Option(metavar="NUMBER|unlimited", help="Unchanged when absent.")]
UserOption = Annotated[str | None, typer.Option(help="Id of one of its users, for the user's own quotas.")]
ApplicationVersionOption = Annotated[
    str | None, typer.Option(help="Only of this version; of all that have no price of their own when absent.")
]


@quotas.command("show")
def show_quotas(
    organization: OrganizationOption = None, user: UserOption = None, style: FormatOption = Format.TEXT
) -> None:
    """Show the quotas of an organization or a user, and what is left of them."""
    with open_client() as client:
        organization_id = _id_of(client, organization)
        if user is None:
            _print_quotas(client.quotas.of_organization(organization_id), style)
        else:
            _print_quotas(client.quotas.of_user(organization_id, user), style)


@quotas.command("set")
def set_quotas(
    organization: OrganizationOption = None,
    user: UserOption = None,
    slides_per_month: LimitOption = None,
    parallel_runs: LimitOption = None,
    slides_per_run: LimitOption = None,
    users: LimitOption = None,
    storage_bytes: LimitOption = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Change quotas: your users' as their administrator, an organization's as operator of the platform."""
    of_both = {"slides_per_month": slides_per_month, "parallel_runs": parallel_runs}
    of_organization = {"slides_per_run": slides_per_run, "users": users, "storage_bytes": storage_bytes}
    if user is not None and any(of_organization.values()):
        raise typer.BadParameter("a user has no other quotas than --slides-per-month and --parallel-runs")
    changes = {name: _limit(text) for name, text in (of_both | of_organization).items() if text is not None}
    with open_client() as client:
        organization_id = _id_of(client, organization)
        if user is None:
            limits = client.quotas.of_organization(organization_id).limits.model_copy(update=changes)
            _print_quotas(client.quotas.set_for_organization(organization_id, limits), style)
        else:
            user_limits = client.quotas.of_user(organization_id, user).limits.model_copy(update=changes)
            _print_quotas(client.quotas.set_for_user(organization_id, user, user_limits), style)


@app.command()
def usage(
    organization: OrganizationOption = None, month: MonthOption = None, style: FormatOption = Format.TEXT
) -> None:
    """Show what an organization's users processed in a month and what it cost."""
    with open_client() as client:
        days = days_of(month)
        found = client.quotas.usage(*days, organization_id=_id_of(client, organization))
    print_usage(found, style)


@prices.command("show")
def show_prices(organization: OrganizationOption = None, style: FormatOption = Format.TEXT) -> None:
    """Show what a slide costs an organization, by application."""
    with open_client() as client:
        _print_prices(client.quotas.prices(_id_of(client, organization)), style)


@prices.command("set")
def set_price(
    application_id: str,
    amount: Annotated[str, typer.Argument(help="Price of a slide, such as 12.50; 'free' removes it.")],
    currency: Annotated[str, typer.Argument(help="Currency as ISO 4217 has it.")] = "EUR",
    organization: OrganizationOption = None,
    application_version: ApplicationVersionOption = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Change what a slide costs an organization from now on, as operator of the platform."""
    new = _price(application_id, application_version, amount, currency)
    with open_client() as client:
        organization_id = _id_of(client, organization)
        others = [
            price
            for price in client.quotas.prices(organization_id)
            if (price.application_id, price.version_number) != (application_id, application_version)
        ]
        _print_prices(client.quotas.set_prices(organization_id, [*others, *new]), style)


def _id_of(client: "Client", organization: str | None) -> str:
    return organization or client.me().organization.id


def _limit(text: str) -> int | None:
    if text == UNLIMITED:
        return None
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"'{text}' is neither a number nor '{UNLIMITED}'")
    return int(text)


def _price(application_id: str, version: str | None, amount: str, currency: str) -> "list[SlidePrice]":
    from pydantic import ValidationError

    from coverslip.contract.quotas import SlidePrice

    if amount == "free":
        return []
    fields = {"application_id": application_id, "version_number": version, "amount": amount, "currency": currency}
    try:
        return [SlidePrice.model_validate(fields)]
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise typer.BadParameter(faults) from None


def _print_quotas(found: "OrganizationQuotasResponse | UserQuotasResponse", style: Format) -> None:
    if style is Format.JSON:
        print_json(found.model_dump(mode="json"))
        return
    print_balances({getattr(found, "user_id", found.organization_id): found.balances})


def _print_prices(prices: "list[SlidePrice]", style: Format) -> None:
    if style is Format.JSON:
        print_json([price.model_dump(mode="json") for price in prices])
        return
    if not prices:
        say("Everything is free.")
        return
    rows = ((p.application_id, p.version_number or "all", p.model_dump()["amount"], p.currency) for p in prices)
    print_table(("APPLICATION", "VERSION", "A SLIDE", "CURRENCY"), rows)
