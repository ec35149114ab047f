"""What an encoded tile says about itself, read before a decoder makes room for it.

JPEG (ITU-T T.81 annex B), JPEG-LS (T.87) and JPEG 2000 codestreams (T.800 annex A.5) state their size in a header of
their own, which need not be the one that the slide states. Decoders believe it.
"""

import struct
from typing import NamedTuple

START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""JPEG markers that state the size: SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS."""
WITHOUT_LENGTH = frozenset(range(0xD0, 0xD9)) | {0x01}
"""JPEG markers of two bytes: RST0 to RST7, SOI and TEM."""
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9


class StatedSize(NamedTuple):
    """Width and height in pixels and the number of colour components that a codestream states."""

    width_px: int
    height_px: int
    components: int


def stated_size(data: bytes) -> StatedSize | None:
    """The size in the header of a JPEG, JPEG-LS or JPEG 2000 codestream; None if ``data`` has no such header."""
    if data[:4] == b"\xff\x4f\xff\x51" and len(data) >= 42:
        right, bottom, left, top = struct.unpack_from(">4I", data, 8)
        return StatedSize(right - left, bottom - top, struct.unpack_from(">H", data, 40)[0])
    return _jpeg_size(data) if data[:2] == b"\xff\xd8" else None


def _jpeg_size(data: bytes) -> StatedSize | None:
    position = 2
    while position + 10 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # markers may be preceded by any number of fill bytes
            position += 1
        elif marker in WITHOUT_LENGTH:
            position += 2
        elif marker in (START_OF_SCAN, END_OF_IMAGE):
            return None
        elif marker in START_OF_FRAME:
            height, width, components = struct.unpack_from(">HHB", data, position + 5)
            return StatedSize(width, height, components)
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    return None
