"""URLs of S3 and of Google Cloud Storage, signed in their query by version 4 of the stores' own schemes."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from coverslip.service.storage.signature_v4 import (
    DATE_FORMAT,
    S3_ALGORITHM,
    canonical_query,
    canonical_request,
    s3_scope,
    s3_signature,
    text_to_sign,
)


@dataclass(frozen=True)
class QuerySigner:
    """Signs URLs of the objects of one bucket, and recognises them.

    Attributes
    ----------
    base_url
        Address of the bucket, without a final slash.
    algorithm, parameter_prefix
        What the scheme calls itself and its parameters.
    signatory
        Whose key it is.
    scope
        What the key is used for; follows the day.
    seal
        Makes the signature, in hexadecimal, of a day and a text.
    signs_length
        Whether the length of an upload can be signed.
    """

    base_url: str
    algorithm: str
    parameter_prefix: str
    signatory: str
    scope: str
    seal: Callable[[str, bytes], str]
    signs_length: bool

    def sign(
        self,
        method: str,
        path: str,
        *,
        expires_in_s: int,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """A URL that allows ``method`` on ``path`` for ``expires_in_s`` seconds.

        Parameters
        ----------
        parameters
            More of the query, such as ``response-content-type``.
        headers
            What the request must say, with names in lower case; beside ``host``, which is always signed.
        """
        signed_at = datetime.now(UTC)
        if expires_in_s < 1:  # the stores know no shorter lifetime, only an earlier beginning
            signed_at, expires_in_s = signed_at + timedelta(seconds=expires_in_s - 1), 1
        date = signed_at.strftime(DATE_FORMAT)
        headers = self._host | dict(headers or {})
        query = dict(parameters or {}) | {
            self._name("Algorithm"): self.algorithm,
            self._name("Credential"): self._credential(date),
            self._name("Date"): date,
            self._name("Expires"): str(expires_in_s),
            self._name("SignedHeaders"): ";".join(sorted(headers)),
        }
        signature = self._signature(method, path, query, headers)
        return f"{self.base_url}/{quote(path)}?{canonical_query(query.items())}&{self._name('Signature')}={signature}"

    def path_of(self, method: str, url: str) -> str | None:
        """The path that a URL signed by us for ``method`` opens, expired or not; None for any other URL."""
        address, _, query_text = url.partition("?")
        if not address.startswith(self.base_url + "/"):
            return None
        path = unquote(address.removeprefix(self.base_url + "/"))
        pairs = parse_qsl(query_text, keep_blank_values=True)
        query = dict(pairs)
        given = query.pop(self._name("Signature"), "")
        ours = {
            self._name("Algorithm"): self.algorithm,
            self._name("Credential"): self._credential(query.get(self._name("Date"), "")),
            self._name("SignedHeaders"): "host",
        }
        if len(pairs) != len(query) + 1 or self._name("Date") not in query or not ours.items() <= query.items():
            return None
        expected = self._signature(method, path, query, self._host)
        return path if hmac.compare_digest(given.encode(), expected.encode()) else None

    @property
    def _host(self) -> dict[str, str]:
        return {"host": urlsplit(self.base_url).netloc}

    def _name(self, name: str) -> str:
        return f"{self.parameter_prefix}-{name}"

    def _credential(self, date: str) -> str:
        return f"{self.signatory}/{date[:8]}/{self.scope}"

    def _signature(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        date = query[self._name("Date")]
        absolute = f"{urlsplit(self.base_url).path}/{path}"
        request = canonical_request(method, absolute, query.items(), headers)
        return self.seal(date[:8], text_to_sign(self.algorithm, date, self.scope, request))


def s3_signer(bucket_url: str, *, region: str, access_key_id: str, secret_access_key: str) -> QuerySigner:
    """Signs with an access key of S3, or of a store that speaks S3."""

    def seal(day: str, text: bytes) -> str:
        return s3_signature(secret_access_key, day=day, region=region, text=text)

    return QuerySigner(bucket_url, S3_ALGORITHM, "X-Amz", access_key_id, s3_scope(region), seal, signs_length=True)


def gcs_signer(bucket_url: str, service_account_key: str) -> QuerySigner:
    """Signs with the key of a Google service account.

    Parameters
    ----------
    service_account_key
        The key's file, as it was downloaded.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    try:
        account = json.loads(service_account_key)
        email, private_key = account["client_email"], load_pem_private_key(account["private_key"].encode(), None)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error} is missing") from error
    if not isinstance(private_key, RSAPrivateKey):
        raise ValueError("it holds no RSA key")

    def seal(_day: str, text: bytes) -> str:
        return private_key.sign(text, PKCS1v15(), hashes.SHA256()).hex()

    scope = "auto/storage/goog4_request"
    return QuerySigner(bucket_url, "GOOG4-RSA-SHA256", "X-Goog", email, scope, seal, signs_length=False)
