"""Where programs find everything else; needs no token."""

from typing import Any

from fastapi import APIRouter

from coverslip.contract.identity import (
    DEVICE_CODE_GRANT,
    ONE_TIME_LINK_GRANT,
    PUBLISHED_CLIENT_ID,
    PlatformDescription,
)
from coverslip.service.context import ContextDep
from coverslip.service.identity.authorization_request import SCOPES

router = APIRouter(tags=["Sign-in"])


@router.get("/.well-known/openid-configuration")
@router.get("/.well-known/oauth-authorization-server", include_in_schema=False)
@router.get("/oauth/.well-known/openid-configuration", include_in_schema=False)
async def openid_configuration(context: ContextDep) -> dict[str, Any]:
    """Where the issuer's endpoints are and what they can do (OpenID Connect Discovery 1.0, RFC 8414).

    The published TypeScript client looks below ``/oauth``.
    """
    # RFC 9207 (`iss` in the answer) is left out on purpose: that client drops it, and then misses it if we announce it.
    root = context.settings.public_url
    return {
        "issuer": context.settings.issuer,
        "authorization_endpoint": f"{root}/authorize",
        "token_endpoint": f"{root}/oauth/token",
        "device_authorization_endpoint": f"{root}/oauth/device/code",
        "revocation_endpoint": f"{root}/oauth/revoke",
        "userinfo_endpoint": f"{root}/oauth/userinfo",
        "jwks_uri": f"{root}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_CODE_GRANT, ONE_TIME_LINK_GRANT],
        "scopes_supported": list(SCOPES),
        "subject_types_supported": ["public"],
        "claims_supported": ["sub", "org_id", "name", "given_name", "family_name", "email", "email_verified"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


@router.get("/.well-known/coverslip")
async def description(context: ContextDep) -> PlatformDescription:
    """What a client must know before anybody can sign in, gathered in one place."""
    found = await openid_configuration(context)
    return PlatformDescription(
        api_root=context.settings.public_url,
        audience=context.settings.audience,
        published_client_id=PUBLISHED_CLIENT_ID,
        **{name: found[name] for name in PlatformDescription.model_fields if name in found},
    )
