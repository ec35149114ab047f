"""Write TIFF files tag by tag, true or not (TIFF 6.0 section 2, BigTIFF)."""

import struct
from collections.abc import Mapping, Sequence

SHORT, LONG, SLONG, LONG8, SUB_IFD = 3, 4, 9, 16, 13
FORMATS = {1: "B", 2: "B", 7: "B", SHORT: "H", LONG: "I", SLONG: "i", LONG8: "Q", SUB_IFD: "I"}

Value = tuple[int, Sequence[int]]
"""Field type and values of a tag."""
Tags = Mapping[int, Value]


def plain(data_at: int, data_bytes: int, **changed: Value | None) -> dict[int, Value]:
    """The tags of a tiled RGB image of one uncompressed tile of 16 x 16 px, with some changed: ``t256=(LONG, [7])``."""
    tags: dict[int, Value] = {
        256: (LONG, [16]),
        257: (LONG, [16]),
        258: (SHORT, [8, 8, 8]),
        259: (SHORT, [1]),
        262: (SHORT, [2]),
        277: (SHORT, [3]),
        284: (SHORT, [1]),
        322: (LONG, [16]),
        323: (LONG, [16]),
        324: (LONG, [data_at]),
        325: (LONG, [data_bytes]),
    }
    for name, value in changed.items():
        tags.pop(int(name[1:]), None)
        if value is not None:
            tags[int(name[1:])] = value
    return tags


def tiff(
    *directories: Tags, data: bytes = bytes(768), following: Sequence[int] | None = None, big: bool = False
) -> bytes:
    """A file whose data begins at byte 16, followed by the directories in a chain.

    ``following`` has for each directory the one that comes after it: its number, -1 for none. A value of a tag that is
    negative stands for the offset of a directory: -1 is that of the first.
    """
    entry, inline = ("<HHQ", 8) if big else ("<HHI", 4)
    counter, offset = ("Q", "Q") if big else ("H", "I")
    bare_bytes, entry_bytes = struct.calcsize(f"<{counter}{offset}"), struct.calcsize(entry) + inline
    following = following or [*range(1, len(directories)), -1]
    start = 16 + len(data)
    places, at = [], start
    for tags in directories:
        places.append(at)
        at += bare_bytes + len(tags) * entry_bytes
        at += sum(_length(value) for value in tags.values() if _length(value) > inline)
    body = b""
    for number, tags in enumerate(directories):
        table, tables = b"", b""
        tables_at = places[number] + bare_bytes + len(tags) * entry_bytes
        for tag, (kind, values) in sorted(tags.items()):
            known = [places[-value - 1] if kind != SLONG and value < 0 else value for value in values]
            packed = struct.pack(f"<{len(known)}{FORMATS[kind]}", *known)
            table += struct.pack(entry, tag, kind, len(values))
            if len(packed) > inline:
                table += struct.pack(f"<{offset}", tables_at + len(tables))
                tables += packed
            else:
                table += packed.ljust(inline, b"\0")
        after = places[following[number]] if following[number] >= 0 else 0
        body += struct.pack(f"<{counter}", len(tags)) + table + struct.pack(f"<{offset}", after) + tables
    first = struct.pack("<2sHHHQ", b"II", 43, 8, 0, start) if big else struct.pack("<2sHIQ", b"II", 42, start, 0)
    return first + data + body


def _length(value: Value) -> int:
    return struct.calcsize(f"<{FORMATS[value[0]]}") * len(value[1])
