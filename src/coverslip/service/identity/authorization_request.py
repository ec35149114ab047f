"""What a client asks for at ``/authorize``: read, and refused as RFC 6749, section 4.1.2.1, has it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from coverslip.contract.identity import OFFLINE_ACCESS
from coverslip.service.identity.clients import OAuthClient
from coverslip.service.identity.errors import (
    AudienceUnknown,
    AuthorizationRefused,
    ClientUnknown,
    CodeChallengeMissing,
    OAuthError,
    ParameterRepeated,
    RedirectUnknown,
    ResponseTypeUnsupported,
)

SCOPES = ("openid", "profile", "email", OFFLINE_ACCESS)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # the SHA-256 of the verifier (RFC 7636, section 4.2)


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid request for an authorization code."""

    client_id: str
    client_name: str
    redirect_uri: str
    scope: str
    code_challenge: str
    state: str | None = None
    nonce: str | None = None
    organization_id: str | None = None


def granted_scope(asked: str | None) -> str:
    """What we give of the scopes that were asked for, each once, in their order; of none, staying logged in."""
    return " ".join(scope for scope in dict.fromkeys((asked or OFFLINE_ACCESS).split(" ")) if scope in SCOPES)


def read_request(
    parameters: Iterable[tuple[str, str]], clients: Mapping[str, OAuthClient], audience: str
) -> AuthorizationRequest:
    """Read the query of an authorization request.

    Raises
    ------
    ClientUnknown, RedirectUnknown, ParameterRepeated
        Where the fault lies in who asks or where to answer: nobody may be sent there.
    AuthorizationRefused
        For any other fault, which the client is to hear of.
    """
    pairs = list(parameters)
    given = dict(pairs)
    repeated = {name for name, times in Counter(name for name, _ in pairs).items() if times > 1}
    for name in ("client_id", "redirect_uri"):
        if name in repeated:
            raise ParameterRepeated(name=name)
    client = clients.get(given.get("client_id", ""))
    if client is None:
        raise ClientUnknown(client_id=given.get("client_id", ""))
    redirect_uri = given.get("redirect_uri", "")
    if not client.may_receive_at(redirect_uri):
        raise RedirectUnknown(redirect_uri=redirect_uri)
    state = given.get("state")
    try:
        _check(given, repeated, audience)
    except OAuthError as error:
        raise AuthorizationRefused(
            answer(redirect_uri, state, error=error.error, error_description=str(error))
        ) from error
    return AuthorizationRequest(
        client_id=given["client_id"],
        client_name=client.name,
        redirect_uri=redirect_uri,
        scope=granted_scope(given.get("scope")),
        code_challenge=given["code_challenge"],
        state=state,
        nonce=given.get("nonce"),
        organization_id=given.get("organization") or None,
    )


def _check(given: Mapping[str, str], repeated: set[str], audience: str) -> None:
    for name in repeated:
        raise ParameterRepeated(name=name)
    if given.get("response_type") != "code":
        raise ResponseTypeUnsupported(response_type=given.get("response_type", ""))
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise CodeChallengeMissing
    check_audience(given.get("audience"), audience)


def check_audience(asked: str | None, audience: str) -> None:
    """Refuse an audience that is not ours: the client would throw our tokens away later, and not say why.

    Raises
    ------
    AudienceUnknown
    """
    if asked and asked != audience:
        raise AudienceUnknown(asked=asked, audience=audience)


def answer(redirect_uri: str, state: str | None, **facts: str) -> str:
    """The address that brings an answer back to the client."""
    given = facts if state is None else {**facts, "state": state}
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(given)}"


def form_target(redirect_uri: str) -> str:
    """``redirect_uri`` as a source of the Content-Security-Policy: browsers apply ``form-action`` to redirects too."""
    parts = urlsplit(redirect_uri)
    # The policy's grammar has no word for an IPv6 address.
    has_name = parts.scheme in ("http", "https") and parts.hostname and ":" not in parts.hostname
    return f"{parts.scheme}://{parts.netloc}" if has_name else f"{parts.scheme}:"
