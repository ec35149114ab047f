"""How a file is cut into parts."""

from uuid import UUID

from coverslip.contract.uploads import UploadPart
from coverslip.service.storage.store import Area, ObjectKey

_MAX_PARTS = 10_000
"""Also the most that S3 takes for one object."""

UPLOADS_FOLDER = "coverslip-uploads/"
"""Where in the bucket, as clients of S3 see it, the uploads are that were announced; nobody else writes there."""


def key_of_upload(path: str, organization_id: str) -> str:
    """What clients of S3 call an object that was announced, sent in parts and completed.

    Parameters
    ----------
    path
        Of the object in the area of inputs: below the organization's id.
    """
    return UPLOADS_FOLDER + path.removeprefix(f"{organization_id}/")


def part_size(size_bytes: int, wanted_bytes: int) -> int:
    """The size of every part but the last: as wanted, or larger where there would be too many."""
    return max(wanted_bytes, -(-size_bytes // _MAX_PARTS))


def parts_of(size_bytes: int, part_size_bytes: int) -> list[UploadPart]:
    """Every part of a file; an empty file has one, empty."""
    offsets = range(0, max(size_bytes, 1), part_size_bytes)
    return [
        UploadPart(number=number, offset_bytes=offset, size_bytes=min(part_size_bytes, size_bytes - offset))
        for number, offset in enumerate(offsets, start=1)
    ]


def parts_prefix(organization_id: str, upload_id: UUID) -> str:
    """Where the parts of an upload lie in their area."""
    return f"{organization_id}/{upload_id}/"


def part_key(prefix: str, number: int) -> ObjectKey:
    """The key of one part, below the prefix of its upload."""
    return ObjectKey(Area.PARTS, f"{prefix}{number:05}")
