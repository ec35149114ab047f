"""The caller of a request."""

from dataclasses import dataclass
from enum import StrEnum

from coverslip.service.database.scope import OrganizationScope, PlatformScope, Scope


class Role(StrEnum):
    MEMBER = "member"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


@dataclass(frozen=True)
class Principal:
    """A user, acting for one organization."""

    user_id: str
    organization_id: str
    role: Role

    @property
    def scope(self) -> Scope:
        """The rows that PostgreSQL shows to transactions of this caller."""
        return PlatformScope() if self.role is Role.SUPER_ADMIN else OrganizationScope(self.organization_id)
