"""Encryption of secrets that must be read back (signing keys), under a key that is not in the database.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The stored form is: 8 bytes key id, nonce, ciphertext.
"""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coverslip.contract.errors import CoverslipError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 8


class EncryptionKeyInvalid(CoverslipError):
    """The encryption key in {path} is not 32 bytes. Restore the file from your backup: what was encrypted with the
    lost key cannot be read without it."""

    code = "ENCRYPTION.KEY_INVALID"


class EncryptionKeyMismatch(CoverslipError):
    """The database holds secrets encrypted with another key than the one configured. Restore the key file that
    belongs to this database."""

    code = "ENCRYPTION.KEY_MISMATCH"


class Cipher:
    """Encrypts and decrypts small secrets.

    Parameters
    ----------
    key
        32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._key_id = hashlib.sha256(key).digest()[:_KEY_ID_BYTES]

    @classmethod
    def from_file(cls, path: Path) -> "Cipher":
        """Read the key from a file of exactly 32 bytes.

        Raises
        ------
        EncryptionKeyInvalid
            If the file has another size.
        """
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise EncryptionKeyInvalid(path=path)
        return cls(key)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Encrypt ``plaintext``."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._key_id + nonce + self._aead.encrypt(nonce, plaintext, self._key_id)

    def decrypt(self, stored: bytes) -> bytes:
        """Decrypt what ``encrypt`` returned.

        Raises
        ------
        EncryptionKeyMismatch
            If it was encrypted with another key, or altered.
        """
        key_id, nonce, ciphertext = (
            stored[:_KEY_ID_BYTES],
            stored[_KEY_ID_BYTES:][:_NONCE_BYTES],
            stored[_KEY_ID_BYTES + _NONCE_BYTES :],
        )
        if key_id != self._key_id:
            raise EncryptionKeyMismatch
        try:
            return self._aead.decrypt(nonce, ciphertext, key_id)
        except InvalidTag:
            raise EncryptionKeyMismatch from None
