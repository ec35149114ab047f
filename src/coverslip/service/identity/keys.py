"""The RSA keys that sign our tokens: private parts encrypted in the database, public parts as a JWKS."""

from dataclasses import dataclass
from typing import Any

from joserfc.jwk import KeySet, RSAKey

from coverslip.service.database.engine import Database
from coverslip.service.database.scope import PlatformScope
from coverslip.service.encryption import Cipher
from coverslip.service.identity import queries

_RSA_BITS = 2048


@dataclass(frozen=True)
class SigningKeys:
    """The key that signs now, and every public key whose tokens may still be alive."""

    current: RSAKey
    public: KeySet

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517)."""
        return dict(self.public.as_dict(private=False))


async def load_signing_keys(database: Database, cipher: Cipher) -> SigningKeys:
    """Read the signing keys; make the first one if there is none.

    Raises
    ------
    EncryptionKeyMismatch
        If the keys in the database were encrypted with another key.
    """
    async with database.transaction(PlatformScope()) as connection:
        rows = await queries.signing_keys(connection, lock=True)
        if not rows:
            key = RSAKey.generate_key(_RSA_BITS, {"use": "sig", "alg": "RS256"}, auto_kid=True)
            assert key.kid is not None
            await queries.insert_signing_key(
                connection,
                kid=key.kid,
                public_jwk=dict(key.as_dict(private=False)),
                private_key_encrypted=cipher.encrypt(key.as_pem(private=True)),
            )
            rows = await queries.signing_keys(connection)
    newest = rows[0]
    current = RSAKey.import_key(
        cipher.decrypt(newest.private_key_encrypted), {"kid": newest.kid, "use": "sig", "alg": "RS256"}
    )
    return SigningKeys(current, KeySet([RSAKey.import_key(row.public_jwk) for row in rows]))
