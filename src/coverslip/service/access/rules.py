"""Who may read a run, and who may change it."""

from dataclasses import dataclass
from uuid import UUID

from coverslip.service.access.principal import Principal, Role


@dataclass(frozen=True)
class OwnRuns:
    """The runs one user submitted for one organization."""

    organization_id: str
    user_id: str


@dataclass(frozen=True)
class OrganizationRuns:
    """Every run of one organization."""

    organization_id: str


@dataclass(frozen=True)
class AllRuns:
    """Every run of the platform."""


Ownership = OwnRuns | OrganizationRuns | AllRuns


@dataclass(frozen=True)
class SharedRun:
    """A run of one organization of which something is shared with the caller."""

    organization_id: str
    run_id: UUID


RunScope = Ownership | SharedRun


def readable_runs(principal: Principal) -> Ownership:
    """The runs ``principal`` may read: their own; an administrator, the organization's; a super administrator, all.

    What others share with them comes on top, see `sharing_rules`.
    """
    match principal.role:
        case Role.SUPER_ADMIN:
            return AllRuns()
        case Role.ADMIN:
            return OrganizationRuns(principal.organization_id)
        case Role.MEMBER:
            return OwnRuns(principal.organization_id, principal.user_id)


def own_runs(principal: Principal) -> OwnRuns:
    """The runs that lists show when no organization is asked for."""
    return OwnRuns(principal.organization_id, principal.user_id)


def runs_of_organization(principal: Principal, organization_id: str) -> OrganizationRuns | None:
    """Every run of ``organization_id``, or None if ``principal`` may not list them."""
    own = principal.role is Role.ADMIN and organization_id == principal.organization_id
    return OrganizationRuns(organization_id) if own or principal.role is Role.SUPER_ADMIN else None


def may_change_run(principal: Principal, *, organization_id: str, submitted_by: str) -> bool:
    """Whether ``principal`` may cancel a run, delete its artifacts or change its metadata."""
    if principal.role is Role.SUPER_ADMIN:
        return True
    if principal.organization_id != organization_id:
        return False
    return principal.role is Role.ADMIN or principal.user_id == submitted_by
