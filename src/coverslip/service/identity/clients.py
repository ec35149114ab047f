"""The OAuth clients that people may let act for them, and where each may have them sent back to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coverslip.contract.identity import CLI_CLIENT_ID, PUBLISHED_CLIENT_ID

# RFC 8252, section 7.3: programs on the person's own computer, on whatever port is free there.
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/[!-~]*)?(\?[!-~]*)?")


@dataclass(frozen=True)
class OAuthClient:
    """A public client: it has no secret, and proves itself by PKCE and by where it listens.

    Attributes
    ----------
    name
        What people read when they are asked to sign it in.
    redirect_uris
        Its addresses, to the letter; without any, it is a program on the person's computer and may listen on any port
        of the loopback interface.
    """

    name: str
    redirect_uris: frozenset[str] = frozenset()

    def may_receive_at(self, redirect_uri: str) -> bool:
        """Whether codes may be sent to this address."""
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        return "#" not in redirect_uri and "\\" not in redirect_uri and _LOOPBACK.fullmatch(redirect_uri) is not None


def known_clients(configured: Mapping[str, Sequence[str]]) -> dict[str, OAuthClient]:
    """The clients by their ids: those that come with Coverslip, and the operator's with their redirect addresses."""
    return {
        CLI_CLIENT_ID: OAuthClient("Coverslip on your computer"),
        PUBLISHED_CLIENT_ID: OAuthClient("Aignostics client on your computer"),
    } | {client_id: OAuthClient(client_id, frozenset(addresses)) for client_id, addresses in configured.items()}
