"""COVERSLIP_HOME: the folder that holds everything the embedded platform keeps."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from coverslip.embedded.errors import DiskFull, FolderUnusable, HomeTooNew
from coverslip.embedded.private_file import write_private

LAYOUT_VERSION = 1
MIN_FREE_BYTES = 500_000_000
MAX_PORT = 65_535


@dataclass(frozen=True)
class Home:
    """The layout of a home folder; `root` is absolute and without symbolic links."""

    root: Path

    @property
    def secrets(self) -> Path:
        """Passwords and keys, a file each."""
        return self.root / "secrets"

    @property
    def postgres(self) -> Path:
        """The database's files, unless root runs the platform (see `postgres.place`)."""
        return self.root / "postgres"

    @property
    def store(self) -> Path:
        """The object store's directory: slides and results."""
        return self.root / "store"

    @property
    def scratch(self) -> Path:
        """What workers need while they work on a slide."""
        return self.root / "scratch"

    @property
    def models(self) -> Path:
        """The site's own models."""
        return self.root / "models"

    @property
    def logs(self) -> Path:
        """A log file per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What is true only while the platform runs: the lock and `platform.json`."""
        return self.root / "run"

    @property
    def address_file(self) -> Path:
        """Address and process id of the running platform, as JSON."""
        return self.run / "platform.json"

    @property
    def layout_file(self) -> Path:
        """The version of this layout that the folder was written with."""
        return self.root / "layout-version"

    @property
    def last_port(self) -> int | None:
        """The port the service had last, if it is known."""
        try:
            text = (self.root / "last-port").read_text().strip()
        except OSError:
            return None
        return int(text) if text.isdecimal() and 0 < int(text) <= MAX_PORT else None

    def remember_port(self, port: int) -> None:
        """Note the port of the service for the next start."""
        write_private(self.root / "last-port", f"{port}\n".encode())


def home_at(root: Path | None = None) -> Home:
    """The home at `root`, else at COVERSLIP_HOME, else in the user's data folder; touches nothing on disk."""
    chosen = root or os.environ.get("COVERSLIP_HOME") or platformdirs.user_data_dir("coverslip")
    return Home(Path(chosen).expanduser().resolve())


def open_home(root: Path | None = None) -> Home:
    """Make the home folder ready: its folders private (0700) and its layout known.

    Raises
    ------
    FolderUnusable
        If a folder cannot be made or written.
    DiskFull
        If less than 500 MB are free.
    HomeTooNew
        If a newer Coverslip wrote the folder.
    """
    home = home_at(root)
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_layout(home)
        for folder in (home.secrets, home.postgres, home.store, home.scratch, home.logs, home.run):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
        check_free_space(home.root)
        write_private(home.layout_file, f"{LAYOUT_VERSION}\n".encode())
    except OSError as error:
        raise FolderUnusable(folder=home.root, reason=error.strerror or error) from error
    return home


def check_layout(home: Home) -> None:
    """Refuse a home whose layout this version does not know.

    Raises
    ------
    HomeTooNew
        If the layout's version is above ours, or is none that we could have written.
    """
    if not home.layout_file.exists():
        return
    found = home.layout_file.read_text().strip()
    if not found.isdecimal() or int(found) > LAYOUT_VERSION:
        raise HomeTooNew(home=home.root, found=found or "unknown", known=LAYOUT_VERSION)


def check_free_space(folder: Path) -> None:
    """Refuse to start on a disk that is about to be full: databases do not take that well.

    Raises
    ------
    DiskFull
        If less than 500 MB are free on the disk of `folder`.
    """
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise DiskFull(folder=folder, free_mb=free // 1_000_000, needed_mb=MIN_FREE_BYTES // 1_000_000)
