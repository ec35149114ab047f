"""Entity tags of custom metadata (RFC 9110, sections 8.8.3 and 13.1.1), beside the checksum in the bodies.

The tag of a run or item is the checksum of its custom metadata: that is what an ``If-Match`` protects, and all that a
client can change of them.
"""

import re

_TAG = re.compile(r'(W/)?"([^"]*)"')


def entity_tag_headers(checksum: str | None) -> dict[str, str]:
    """The headers of an answer that shows metadata with this checksum; no cache may keep it for its tag."""
    headers = {"Cache-Control": "no-store"}
    return headers if checksum is None else headers | {"ETag": f'"{checksum}"'}


def meets(if_match: str, checksum: str | None) -> bool:
    """Whether metadata with ``checksum`` (None: there is none) meets an ``If-Match`` header.

    Weak tags never match, as the standard has it for this header.
    """
    if if_match.strip() == "*":
        return checksum is not None
    return checksum in {tag for weak, tag in _TAG.findall(if_match) if not weak}
