"""The checksum of custom metadata: equal values have equal checksums, whatever the order of their keys."""

import hashlib
import json

from coverslip.contract.fields import JsonObject

_LENGTH = 16


def metadata_checksum(metadata: JsonObject | None) -> str | None:
    """An opaque checksum of ``metadata``; None for none."""
    if metadata is None:
        return None
    canonical = json.dumps(metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_LENGTH]
