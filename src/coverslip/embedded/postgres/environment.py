"""The environment that PostgreSQL's programs run in."""

import os

_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


def postgres_environment() -> dict[str, str]:
    """What the system needs and nothing else: PG... variables of the user must not steer it, messages are English."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C"}
