"""The user that runs PostgreSQL when root runs the platform: PostgreSQL refuses to run as root."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from coverslip.embedded.postgres.binaries import Binaries

USER_NAME = "coverslip"
_LAST_RESORT = "nobody"
_NOT_NEEDED = shutil.ignore_patterns("include")


@dataclass(frozen=True)
class OsUser:
    """An operating system user."""

    name: str
    uid: int
    gid: int


def running_as_root() -> bool:
    """Whether this process has root's rights (never on Windows)."""
    return sys.platform != "win32" and os.geteuid() == 0


def choose_user(data: Path) -> OsUser:
    """The user to run PostgreSQL as.

    The owner of existing data; else the user `coverslip`, made if the system can; else `nobody`.
    """
    if sys.platform == "win32":
        raise NotImplementedError("Windows knows no root")
    import pwd

    if data.exists() and data.stat().st_uid != 0:
        return _described(pwd.getpwuid(data.stat().st_uid))
    try:
        return _described(pwd.getpwnam(USER_NAME))
    except KeyError:
        pass
    if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        arguments = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER_NAME]
        # Another platform may have made the user meanwhile, so what counts is that it is there afterwards.
        subprocess.run(arguments, capture_output=True, check=False)
        try:
            return _described(pwd.getpwnam(USER_NAME))
        except KeyError:
            pass
    return _described(pwd.getpwnam(_LAST_RESORT))


def copy_binaries(binaries: Binaries, target: Path) -> Binaries:
    """Copy an installation below `target`, readable by everybody, writable by root only.

    Done once per version: a copy that is complete is used as it is, and copies of other versions are removed.
    """
    copy = replace(binaries, site=target / binaries.label)
    if not copy.site.exists():
        partial = target / f"{binaries.label}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        for former in target.glob("*/*/*/bin/postgres"):
            shutil.rmtree(target / former.relative_to(target).parts[0])
        for part in binaries.parts:
            if (binaries.site / part).is_dir():
                shutil.copytree(binaries.site / part, partial / part, symlinks=True, ignore=_NOT_NEEDED)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(copy.site)
    return copy


def _described(entry: "object") -> OsUser:
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)  # type: ignore[attr-defined]
