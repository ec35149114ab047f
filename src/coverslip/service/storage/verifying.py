"""Size and checksum of what streams by."""

import base64
from collections.abc import AsyncIterator

import google_crc32c

from coverslip.service.storage.errors import ChecksumDiffers, SizeDiffers


async def verified(
    chunks: AsyncIterator[bytes], *, size_bytes: int, checksum_base64_crc32c: str
) -> AsyncIterator[bytes]:
    """Pass ``chunks`` on; it ends as they do only if they are those bytes.

    Raises
    ------
    SizeDiffers, ChecksumDiffers
        If they are not, at the latest in place of the end.
    """
    checksum = google_crc32c.Checksum()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > size_bytes:
            raise SizeDiffers(received=f"more than {size_bytes}", announced=size_bytes)
        checksum.update(chunk)
        yield chunk
    if received != size_bytes:
        raise SizeDiffers(received=received, announced=size_bytes)
    actual = base64.b64encode(checksum.digest()).decode()
    if actual != checksum_base64_crc32c:
        raise ChecksumDiffers(received=actual, announced=checksum_base64_crc32c)
