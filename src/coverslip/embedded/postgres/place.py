"""Where PostgreSQL's programs and data lie, and whose they are."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from coverslip.embedded.errors import FolderUnusable
from coverslip.embedded.home import Home, check_free_space
from coverslip.embedded.postgres.binaries import Binaries, find_binaries
from coverslip.embedded.postgres.unprivileged import OsUser, choose_user, copy_binaries, running_as_root

SYSTEM_FOLDER = Path("/var/lib/coverslip")


@dataclass(frozen=True)
class PostgresPlace:
    """A PostgreSQL installation with its data folder.

    Attributes
    ----------
    binaries
        The programs, where `user` can run them.
    data
        PostgreSQL's data directory; made by `PostgresServer.prepare`.
    user
        Who runs PostgreSQL and owns the data, or None for the user of this process.
    """

    binaries: Binaries
    data: Path
    user: OsUser | None


def system_folder_of(home: Home) -> Path:
    """Where a home's database lives when root runs the platform: a folder per home that another user can reach."""
    return SYSTEM_FOLDER / hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]


def data_folder_of(home: Home) -> Path:
    """PostgreSQL's data directory of a home; touches nothing on disk."""
    return (system_folder_of(home) if running_as_root() else home.postgres) / "data"


def open_place(home: Home) -> PostgresPlace:
    """Choose and prepare the place: as root a folder below /var/lib/coverslip, else the home itself.

    Raises
    ------
    DatabaseBinariesMissing
        If no wheel with PostgreSQL is installed.
    FolderUnusable
        If the place cannot be written.
    DiskFull
        If less than 500 MB are free there.
    """
    binaries = find_binaries()
    data = data_folder_of(home)
    if not running_as_root():
        return PostgresPlace(binaries, data, None)
    try:
        user = choose_user(data)
        for folder in (SYSTEM_FOLDER, data.parent):
            folder.mkdir(mode=0o755, exist_ok=True)
            folder.chmod(0o755)
        check_free_space(data.parent)
        return PostgresPlace(copy_binaries(binaries, data.parent), data, user)
    except (OSError, shutil.Error) as error:
        raise FolderUnusable(folder=data.parent, reason=error) from error
