"""Registers the installed applications' manifests in the catalogue when the service starts."""

from coverslip.applications.manifest import Manifest, Version
from coverslip.service.catalog import queries
from coverslip.service.catalog.errors import ReleasedVersionChanged
from coverslip.service.database.engine import Database
from coverslip.service.database.scope import PlatformScope


async def register(database: Database, manifests: list[Manifest]) -> None:
    """Add what is new. A released version is immutable.

    Raises
    ------
    ReleasedVersionChanged
        If a manifest says something else of a version that was registered before.
    """
    async with database.transaction(PlatformScope()) as connection:
        for manifest in manifests:
            await queries.upsert_application(
                connection,
                {
                    "id": manifest.application_id,
                    "name": manifest.name,
                    "description": manifest.description,
                    "regulatory_classes": list(manifest.regulatory_classes),
                },
            )
            for version in manifest.versions:
                values = _values(version)
                await queries.insert_version(connection, {"application_id": manifest.application_id, **values})
                row = await queries.version(connection, manifest.application_id, version.number)
                if row is None or any(getattr(row, name) != value for name, value in values.items()):
                    raise ReleasedVersionChanged(application_id=manifest.application_id, number=version.number)


def _values(version: Version) -> dict[str, object]:
    fields = version.model_dump(mode="json")
    return {
        "number": version.number,
        "changelog": version.changelog,
        "input_artifacts": fields["input_artifacts"],
        "output_artifacts": fields["output_artifacts"],
        "resources": fields["resources"],
        "released_at": version.released_at,
    }
