"""Access tokens, RS256 JSON Web Tokens with the claims of the published contract, and ID tokens."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError

from coverslip.contract.identity import OFFLINE_ACCESS
from coverslip.service.identity.keys import SigningKeys


@dataclass(frozen=True)
class Claims:
    """What a valid access token says."""

    subject: str
    organization_id: str
    session_id: UUID | None


class TokenRefused(Exception):
    """The token is not one of ours, or not valid any more."""


class TokenIssuer:
    """Signs tokens, and checks access tokens.

    Parameters
    ----------
    keys
        The signing keys.
    issuer
        The ``iss`` of every token: the public address with a final slash.
    audience
        The ``aud`` of every token, and the prefix of the role claim.
    lifetime_s
        How long a token is valid, in seconds.
    """

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str, lifetime_s: int) -> None:
        self.keys = keys
        self.lifetime_s = lifetime_s
        self._issuer = issuer
        self._audience = audience
        self._registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            org_id={"essential": True},
            azp={"essential": True},  # ID tokens have none: one whose client calls itself as our audience opens nothing
        )

    def issue(
        self,
        *,
        user_id: str,
        organization_id: str,
        role: str,
        client_id: str,
        scope: str = OFFLINE_ACCESS,
        session_id: UUID | None = None,
    ) -> str:
        """A signed access token for a user acting for an organization; it dies with its session, if it has one."""
        claims = self._frame([self._audience]) | {
            "sub": user_id,
            "azp": client_id,
            "scope": scope,
            "org_id": organization_id,
            f"{self._audience}/role": role,
        }
        return self._sign(claims | ({"sid": str(session_id)} if session_id is not None else {}))

    def issue_identity(self, claims: dict[str, Any], *, client_id: str, nonce: str | None) -> str:
        """A signed ID token (OpenID Connect Core 1.0, section 2): who signed in, told to the client."""
        return self._sign(self._frame(client_id) | claims | ({"nonce": nonce} if nonce is not None else {}))

    def _frame(self, audience: str | list[str]) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": self._issuer, "aud": audience, "iat": now, "exp": now + self.lifetime_s}

    def _sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self.keys.current.kid}
        return jwt.encode(header, claims, self.keys.current, algorithms=["RS256"])

    def verify(self, token: str) -> Claims:
        """Check signature, algorithm, issuer, audience and expiry.

        Raises
        ------
        TokenRefused
            If any of them is wrong.
        """
        try:
            decoded = jwt.decode(token, self.keys.public, algorithms=["RS256"])
            self._registry.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise TokenRefused from error
        subject, organization_id = decoded.claims["sub"], decoded.claims["org_id"]
        if not all(isinstance(claim, str) and "\x00" not in claim for claim in (subject, organization_id)):
            raise TokenRefused
        try:
            session_id = UUID(decoded.claims["sid"]) if "sid" in decoded.claims else None
        except (ValueError, TypeError, AttributeError) as error:
            raise TokenRefused from error
        return Claims(subject, organization_id, session_id)
