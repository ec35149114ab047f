"""The secrets of webhooks, which must be read back to sign: encrypted in the database."""

from coverslip.service.database.rows import AnyRow
from coverslip.service.encryption import Cipher
from coverslip.service.webhooks.signing import new_secret


def make_secret(cipher: Cipher) -> tuple[str, bytes]:
    """A new secret, as it is shown once and as it is stored."""
    secret = new_secret()
    return secret, cipher.encrypt(secret.encode())


def signing_secrets(cipher: Cipher, row: AnyRow) -> list[str]:
    """The secrets that sign a webhook's messages now: the present one, and the one before it for a while.

    Raises
    ------
    EncryptionKeyMismatch
        If the encryption key is not the one that was used when they were made.
    """
    stored = [row.secret_encrypted, *([row.previous_secret_encrypted] if row.previous_is_good else [])]
    return [cipher.decrypt(encrypted).decode() for encrypted in stored]
