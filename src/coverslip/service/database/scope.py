"""Whose rows a transaction may touch: the second wall, kept by PostgreSQL's row-level security."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OrganizationScope:
    """The rows of one organization, and the grants by which others share theirs with a caller.

    Grants are those to the user, to the organization, and to the share token whose secret has this hash.
    """

    organization_id: str
    user_id: str = ""
    share_token_hash: bytes = b""


@dataclass(frozen=True)
class PlatformScope:
    """Every row: for the scheduler, workers and super administrators."""


Scope = OrganizationScope | PlatformScope
