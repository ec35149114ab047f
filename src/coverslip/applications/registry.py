"""The applications installed here: packages that announce themselves by an entry point.

A package names itself under `ENTRY_POINTS`, holds ``MANIFEST`` (its manifest.json as a resource) and ``process``. Its
``__init__`` imports nothing heavy, so that the service can read manifests without the application's code.
"""

import logging
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

from coverslip.applications.errors import ApplicationBroken, ApplicationUnknown
from coverslip.applications.manifest import Manifest, load_manifest
from coverslip.applications.protocol import Process

ENTRY_POINTS = "coverslip.applications"

log = logging.getLogger(__name__)


def manifests() -> list[Manifest]:
    """The manifests of all installed applications, by application id.

    A package that is broken is logged and left out; no other suffers from it.
    """
    found, broken = _look()
    for fault in broken:
        log.error("%s", fault)
    return sorted((manifest for manifest, _ in found), key=lambda manifest: manifest.application_id)


def broken() -> list[ApplicationBroken]:
    """What is wrong with the packages that `manifests` leaves out."""
    return _look()[1]


def load_process(application_id: str, version_number: str) -> Process:
    """The ``process`` function of an application.

    Raises
    ------
    ApplicationUnknown
        If that version is not installed here, or is broken.
    """
    found, broken = _look()
    others = [f"not {fault.facts['package']}, which is broken ({fault.facts['reason']})" for fault in broken]
    for manifest, package in found:
        if manifest.application_id == application_id and manifest.version(version_number) is not None:
            return cast(Process, package.process)
        others += [f"{manifest.application_id} {version.number}" for version in manifest.versions]
    raise ApplicationUnknown(
        application_id=application_id, version_number=version_number, installed=", ".join(sorted(others)) or "none"
    )


def is_reusable(application_id: str, version_number: str) -> bool:
    """Whether a result of that version, if it is installed here, may serve for another item with the same inputs."""
    for manifest, _ in _look()[0]:
        version = manifest.version(version_number)
        if manifest.application_id == application_id and version is not None:
            return version.reusable
    return False


def _look() -> tuple[list[tuple[Manifest, ModuleType]], list[ApplicationBroken]]:
    found, broken = [], []
    for entry_point in entry_points(group=ENTRY_POINTS):
        # Whatever somebody's package does when it is imported, be it to exit, must stop neither service nor worker.
        try:
            package = entry_point.load()
            found.append((load_manifest(package.MANIFEST), package))
        except (Exception, SystemExit) as error:
            broken.append(ApplicationBroken(package=_named(entry_point), reason=f"{type(error).__name__}: {error}"))
    return found, broken


def _named(entry_point: EntryPoint) -> str:
    """``lung-nodules 1.2.0 (lung_nodules.application)``."""
    package = f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist else entry_point.name
    return f"{package} ({entry_point.value})"
