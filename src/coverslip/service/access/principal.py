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
        return self.scope_with(b"")

    def scope_with(self, share_token_hash: bytes) -> Scope:
        """The same, and the grants to a share token that the caller holds."""
        if self.role is Role.SUPER_ADMIN:
            return PlatformScope()
        return OrganizationScope(self.organization_id, self.user_id, share_token_hash)
