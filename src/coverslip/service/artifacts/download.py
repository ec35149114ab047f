"""Signed URLs of published artifacts."""

import mimetypes
import re

from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.storage.store import Area, ObjectKey

_MEDIA_TYPE = re.compile(r"[!-~]+/[ -~]+")

_EXTENSIONS = {
    "application/geo+json": ".json",
    "application/vnd.apache.parquet": ".parquet",
    "image/tiff": ".tiff",
}


def artifact_url(context: Context, row: AnyRow) -> str:
    """A URL to download a published artifact from, valid for an hour by default, under a sensible file name."""
    media_type = str((row.metadata or {}).get("media_type", ""))
    if not _MEDIA_TYPE.fullmatch(media_type):  # an application may have written anything
        media_type = "application/octet-stream"
    extension = _EXTENSIONS.get(media_type) or mimetypes.guess_extension(media_type) or ".bin"
    return context.store.sign_get(
        ObjectKey(Area.RESULTS, row.object_path),
        expires_in_s=context.settings.result_url_lifetime_s,
        file_name=row.name.replace(":", "_") + extension,
        media_type=media_type,
    )
