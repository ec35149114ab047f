"""Whose rows a transaction may touch: the second wall, kept by PostgreSQL's row-level security."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OrganizationScope:
    """The rows of one organization."""

    organization_id: str


@dataclass(frozen=True)
class PlatformScope:
    """Every row: for the scheduler, workers and super administrators."""


Scope = OrganizationScope | PlatformScope
