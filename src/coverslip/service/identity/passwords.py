"""Passwords, hashed with argon2id.

A hash takes about 0.2 s and 64 MiB on purpose; a limiter keeps many log-ins at once from using up the memory.
"""

from functools import cache

import anyio
from anyio.to_thread import run_sync
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256

_hasher = PasswordHash((Argon2Hasher(),))
_limiter = anyio.CapacityLimiter(2)


@cache
def _hash_of_nobody() -> str:
    """Checked when an account does not exist, so that the time of the answer does not tell."""
    return _hasher.hash("nobody")


def _verify(password: str, stored: str | None) -> bool:
    matches = _hasher.verify(password, stored or _hash_of_nobody())
    return matches and stored is not None


async def hash_password(password: str) -> str:
    """The stored form of ``password``."""
    return await run_sync(_hasher.hash, password, limiter=_limiter)


async def password_matches(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one stored; takes as long when nothing is stored."""
    return await run_sync(_verify, password[:MAX_PASSWORD_LENGTH], stored, limiter=_limiter)
