"""`coverslip application run share`: let others see a run."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coverslip.cli.output import Format, FormatOption, note, print_json, print_table, say
from coverslip.cli.run_options import RunArgument
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.platform.access import AccessGrant, ShareToken

app = typer.Typer(help="Let others see a run.", no_args_is_help=True)
organization_app = typer.Typer(help="Show a run to all members of an organization.", no_args_is_help=True)
token_app = typer.Typer(help="Show a run to whoever is signed in and holds a share token.", no_args_is_help=True)
app.add_typer(organization_app, name="organization")
app.add_typer(token_app, name="token")

OrganizationArgument = Annotated[str | None, typer.Argument(help="Id of the organization; your own when absent.")]


@app.command()
def status(run_id: RunArgument, style: FormatOption = Format.TEXT) -> None:
    """Show which organizations and which of your share tokens can see a run."""
    from coverslip.workflow.sharing import organization_grants, share_tokens

    with open_client() as client:
        grants = list(organization_grants(client, run_id))
        tokens = list(share_tokens(client, run_id))
    if style is Format.JSON:
        print_json({"organization_grants": _documents(grants), "share_tokens": _documents(tokens)})
        return
    _tell_grants(grants)
    say()
    _tell_tokens(tokens)


@organization_app.command("list")
def list_organizations(run_id: RunArgument, style: FormatOption = Format.TEXT) -> None:
    """List the organizations whose members can see a run."""
    from coverslip.workflow.sharing import organization_grants

    with open_client() as client:
        grants = list(organization_grants(client, run_id))
    if style is Format.JSON:
        print_json(_documents(grants))
    else:
        _tell_grants(grants)


@organization_app.command("grant")
def grant_organization(
    run_id: RunArgument, organization_id: OrganizationArgument = None, style: FormatOption = Format.TEXT
) -> None:
    """Let all members of an organization see a run."""
    from coverslip.workflow.sharing import share_with_organization

    with open_client() as client:
        grant = share_with_organization(client, run_id, organization_id)
    if style is Format.JSON:
        print_json(grant.model_dump(mode="json"))
    else:
        say(f"Run '{run_id}' is shared with organization '{grant.subject_id}'.")


@organization_app.command("revoke")
def revoke_organization(run_id: RunArgument, organization_id: OrganizationArgument = None) -> None:
    """Stop showing a run to an organization."""
    from coverslip.workflow.sharing import unshare_with_organization

    with open_client() as client:
        revoked = unshare_with_organization(client, run_id, organization_id)
    _tell_revoked(run_id, revoked)


@token_app.command("list")
def list_tokens(run_id: RunArgument, style: FormatOption = Format.TEXT) -> None:
    """List your share tokens that open a run now."""
    from coverslip.workflow.sharing import share_tokens

    with open_client() as client:
        tokens = list(share_tokens(client, run_id))
    if style is Format.JSON:
        print_json(_documents(tokens))
    else:
        _tell_tokens(tokens)


@token_app.command("create")
def create_token(
    run_id: RunArgument,
    expires_at: Annotated[
        str | None, typer.Option(help="When it ends, as 2027-03-04T18:00:00+01:00; never when absent.")
    ] = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Make a share token that opens a run. Its secret is shown this once."""
    from coverslip.workflow.sharing import create_share_token
    from coverslip.workflow.submission import parse_instant

    expiry = parse_instant("expiry", expires_at)
    with open_client() as client:
        token = create_share_token(client, run_id, expiry)
    if style is Format.JSON:
        print_json(token.model_dump(mode="json"))
        return
    note(f"Share token '{token.share_token_id}' opens run '{run_id}'. Its secret, which is not shown again:")
    say(token.share_token)


@token_app.command("revoke")
def revoke_token(run_id: RunArgument, token_id: Annotated[str, typer.Argument(help="Id of the share token.")]) -> None:
    """Close a run to a share token. The token goes on opening other runs."""
    from coverslip.workflow.sharing import revoke_share_token

    with open_client() as client:
        revoked = revoke_share_token(client, run_id, token_id)
    _tell_revoked(run_id, revoked)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _documents(models: "Sequence[AccessGrant | ShareToken]") -> list[dict[str, Any]]:
    return [model.model_dump(mode="json", exclude_none=True) for model in models]


def _tell_grants(grants: "Sequence[AccessGrant]") -> None:
    if not grants:
        say("No organization can see the run because of a grant.")
        return
    rows = [(grant.subject_id, _when(grant.created_at), grant.created_by) for grant in grants]
    print_table(("ORGANIZATION", "SINCE", "GRANTED BY"), rows)


def _tell_tokens(tokens: "Sequence[ShareToken]") -> None:
    if not tokens:
        say("None of your share tokens opens the run.")
        return
    rows = [
        (token.share_token_id, _when(token.created_at), _when(token.expires_at) if token.expires_at else "never")
        for token in tokens
    ]
    print_table(("SHARE TOKEN", "CREATED", "EXPIRES"), rows)


def _tell_revoked(run_id: str, revoked: "Sequence[AccessGrant]") -> None:
    if revoked:
        say(f"Run '{run_id}' is not shared with '{revoked[0].subject_id}' any more.")
    else:
        say(f"Run '{run_id}' was not shared so.")
