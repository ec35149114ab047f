"""Puts the release documents of the installed applications into the object store when the service starts."""

import base64
from collections.abc import AsyncIterator

import google_crc32c

from coverslip.applications.manifest import Manifest
from coverslip.service.database.engine import Database
from coverslip.service.database.scope import PlatformScope
from coverslip.service.documents import queries
from coverslip.service.documents.rules import document_id, document_path
from coverslip.service.storage.store import Area, ObjectKey, ObjectStore, content_name


async def register_documents(database: Database, store: ObjectStore, manifests: list[Manifest]) -> None:
    """Make the documents of each version what its manifest declares.

    Unlike the rest of a released version they may change: a card may be corrected. What a document said before stays
    in the store.
    """
    for manifest in manifests:
        application_id = manifest.application_id
        for version in manifest.versions:
            rows = []
            for document in version.documents:
                content = manifest.file_of(document).read_bytes()
                path = document_path(application_id, version.number, document.name, _content_name(content))
                await _keep(store, ObjectKey(Area.DOCUMENTS, path), content)
                rows.append(
                    {
                        "id": document_id(application_id, version.number, document.name),
                        "application_id": application_id,
                        "version_number": version.number,
                        "name": document.name,
                        "mime_type": document.mime_type,
                        "visibility": document.visibility,
                        "object_path": path,
                    }
                )
            # After the files: a row never lacks its object.
            async with database.transaction(PlatformScope()) as connection:
                for row in rows:
                    await queries.upsert_document(connection, row)
                names = [document.name for document in version.documents]
                await queries.delete_others(connection, application_id, version.number, names)


def _content_name(content: bytes) -> str:
    checksum = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
    return content_name(len(content), checksum)


async def _keep(store: ObjectStore, key: ObjectKey, content: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    if await store.stat(key) is None:
        await store.write(key, chunks())
