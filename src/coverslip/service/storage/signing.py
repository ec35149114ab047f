"""URLs signed with HMAC-SHA256 over method, path, expiry and every other parameter."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from coverslip.service.storage.errors import SignatureRefused

_SIGNATURE = "signature"
_EXPIRES = "expires"


class UrlSigner:
    """Signs and checks URLs below one address.

    Parameters
    ----------
    secret
        The key of the signatures.
    base_url
        Where the store's routes are, such as ``https://host/store``, without a final slash. It is not part of what
        is signed, so that a platform may move to another address without breaking the URLs it gave out.
    """

    def __init__(self, secret: bytes, base_url: str) -> None:
        self._secret = secret
        self._base_url = base_url
        self._base_path = urlsplit(base_url).path + "/"

    def sign(self, method: str, path: str, expires_in_s: int, parameters: Mapping[str, str]) -> str:
        """A URL that allows ``method`` on ``path`` for ``expires_in_s`` seconds."""
        query = dict(parameters) | {_EXPIRES: str(int(time.time()) + expires_in_s)}
        query[_SIGNATURE] = self._signature(method, path, query)
        return f"{self._base_url}/{quote(path, safe='/~')}?{urlencode(query, quote_via=quote)}"

    def check(self, method: str, path: str, query: Mapping[str, str]) -> None:
        """Check that a request was signed and has not expired.

        Raises
        ------
        SignatureRefused
            If not. It does not say which, so that nothing can be learned by trying.
        """
        if not self._is_signed(method, path, query):
            raise SignatureRefused
        if int(query[_EXPIRES]) < time.time():
            raise SignatureRefused

    def path_of(self, method: str, url: str) -> str | None:
        """The path that a URL signed by us for ``method`` opens, expired or not; None for any other URL."""
        parts = urlsplit(url)
        if not parts.path.startswith(self._base_path):
            return None
        path = unquote(parts.path.removeprefix(self._base_path))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return path if self._is_signed(method, path, query) else None

    def _is_signed(self, method: str, path: str, query: Mapping[str, str]) -> bool:
        given = query.get(_SIGNATURE, "")
        expiry = query.get(_EXPIRES, "")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12):
            return False
        signed = {name: value for name, value in query.items() if name != _SIGNATURE}
        return hmac.compare_digest(given.encode(), self._signature(method, path, signed).encode())

    def _signature(self, method: str, path: str, query: Mapping[str, str]) -> str:
        # Every value is escaped, so no two different requests have the same text.
        lines = [method, quote(path, safe="")]
        lines += [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items())]
        digest = hmac.new(self._secret, "\n".join(lines).encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
