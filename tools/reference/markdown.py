"""The pieces of Markdown that the pages are made of."""

import re
from collections.abc import Iterable, Sequence


def joined(blocks: Iterable[str]) -> str:
    """Blocks as one page, an empty line between them."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns that are empty in every row are left out, and so is a table without rows."""
    filled = [[_cell(value) for value in row] for row in rows]
    kept = [number for number in range(len(header)) if any(row[number] for row in filled)]
    if not filled:
        return ""
    lines = [[header[number] for number in kept], ["---"] * len(kept)]
    lines += [[row[number] for number in kept] for row in filled]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: object) -> str:
    """As code, or nothing where there is nothing."""
    return f"`{text}`" if str(text) else ""


def anchor(heading: str) -> str:
    """What a link to a heading ends with."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|")
