"""How a file is cut into parts."""

from uuid import UUID

from coverslip.contract.uploads import UploadPart
from coverslip.service.storage.store import Area, ObjectKey

_MAX_PARTS = 10_000
"""Also the most that S3 takes for one object."""


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


def part_key(organization_id: str, upload_id: UUID, number: int) -> ObjectKey:
    """The key of one part."""
    return ObjectKey(Area.PARTS, f"{parts_prefix(organization_id, upload_id)}{number:05}")
