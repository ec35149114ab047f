"""The applications installed here: packages that announce themselves by an entry point.

A package names itself under `ENTRY_POINTS`, holds ``MANIFEST`` (its manifest.json as a resource) and ``process``. Its
``__init__`` imports nothing heavy, so that the service can read manifests without the application's code.
"""

from importlib.metadata import entry_points
from types import ModuleType
from typing import cast

from coverslip.applications.errors import ApplicationUnknown
from coverslip.applications.manifest import Manifest, load_manifest
from coverslip.applications.protocol import Process

ENTRY_POINTS = "coverslip.applications"


def manifests() -> list[Manifest]:
    """The manifests of all installed applications, by application id.

    Raises
    ------
    ManifestInvalid
        If one of them is not as it must be.
    """
    found = [load_manifest(package.MANIFEST) for package in _packages()]
    return sorted(found, key=lambda manifest: manifest.application_id)


def load_process(application_id: str, version_number: str) -> Process:
    """The ``process`` function of an application.

    Raises
    ------
    ApplicationUnknown
        If that version is not installed here.
    """
    installed = []
    for package in _packages():
        manifest = load_manifest(package.MANIFEST)
        if manifest.application_id == application_id and manifest.version(version_number) is not None:
            return cast(Process, package.process)
        installed += [f"{manifest.application_id} {version.number}" for version in manifest.versions]
    raise ApplicationUnknown(
        application_id=application_id, version_number=version_number, installed=", ".join(sorted(installed)) or "none"
    )


def _packages() -> list[ModuleType]:
    return [entry_point.load() for entry_point in entry_points(group=ENTRY_POINTS)]
