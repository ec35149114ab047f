"""Who somebody is, in the claims of OpenID Connect Core 1.0, section 5.1."""

from collections.abc import Collection
from typing import Any

from coverslip.service.database.rows import AnyRow


def profile(member: AnyRow, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about a user that the scopes ``profile`` and ``email`` stand for."""
    claims: dict[str, Any] = {"sub": member.id, "org_id": member.organization_id}
    if "profile" in scopes:
        given_name, _, family_name = member.name.partition(" ")
        claims |= {"name": member.name, "given_name": given_name, "family_name": family_name}
        claims["updated_at"] = int(member.updated_at.timestamp())
    if "email" in scopes:
        claims |= {"email": member.email, "email_verified": member.email_verified}
    return claims
