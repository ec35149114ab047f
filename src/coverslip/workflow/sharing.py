"""Let others see a run: organizations by grants, anybody who is signed in by share tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime

from coverslip.contract.access import SubjectType
from coverslip.contract.errors import CoverslipError
from coverslip.platform.access import AccessGrant, ShareToken
from coverslip.platform.client import Client


def organization_grants(client: Client, run_id: str, organization_id: str | None = None) -> Iterator[AccessGrant]:
    """The grants in force that show a run to all members of an organization, or of any."""
    grants = client.run(run_id).list_share_grants(SubjectType.ORGANIZATION_USER, organization_id)
    return (grant for grant in grants if not grant.revoked)


def share_with_organization(client: Client, run_id: str, organization_id: str | None = None) -> AccessGrant:
    """Show a run to all members of an organization, by default the caller's own.

    Raises
    ------
    NotFound, AccessDenied
    """
    organization_id = organization_id or client.me().organization.id
    return client.run(run_id).grant_access(SubjectType.ORGANIZATION_USER, organization_id)


def unshare_with_organization(client: Client, run_id: str, organization_id: str | None = None) -> list[AccessGrant]:
    """Revoke what shows a run to an organization, by default the caller's own; returns what was revoked."""
    grants = list(organization_grants(client, run_id, organization_id or client.me().organization.id))
    for grant in grants:
        grant.revoke()
    return grants


def share_tokens(client: Client, run_id: str) -> Iterator[ShareToken]:
    """The caller's tokens that open a run now."""
    now = datetime.now(UTC)
    tokens = client.share_tokens.list(run_id=run_id)
    return (token for token in tokens if not token.revoked and (token.expires_at is None or token.expires_at > now))


def create_share_token(client: Client, run_id: str, expires_at: datetime | None = None) -> ShareToken:
    """Make a share token that opens a run.

    Raises
    ------
    NotFound, AccessDenied
        If the run cannot be shared; then there is no new token either.
    """
    token = client.share_tokens.create(expires_at)
    try:
        client.run(run_id).grant_access(SubjectType.SHARE_TOKEN, str(token.share_token_id))
    except CoverslipError:
        token.revoke()
        raise
    return token


def revoke_share_token(client: Client, run_id: str, share_token_id: str) -> list[AccessGrant]:
    """Close a run to a share token, which goes on opening other runs; returns the grants that were revoked."""
    grants = client.run(run_id).list_share_grants(SubjectType.SHARE_TOKEN, share_token_id)
    in_force = [grant for grant in grants if not grant.revoked]
    for grant in in_force:
        grant.revoke()
    return in_force
