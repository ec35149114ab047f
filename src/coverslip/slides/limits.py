"""How large a slide may claim to be. A few bytes can claim anything, so claims are weighed before memory is spent."""

from coverslip.slides.errors import SlideImplausible, SlideUnreadable

MOST_LEVEL_PX = 2**40
"""Pixels of one level. The largest scans, a whole 2 x 3 inch slide at 0.1 µm/px, have about 2**38."""

MOST_TILE_PX = 64 * 2**20
"""Pixels of one tile, 192 MiB as RGB. Scanners write tiles of 256 to 4096 px a side."""

MOST_TILES = 2**24
"""Tiles of one level: `MOST_LEVEL_PX` in tiles of 256 px a side."""


def check_level(name: str, place: str, width_px: int, height_px: int, tile_width_px: int, tile_height_px: int) -> int:
    """Weigh what the header of a level claims; return its number of tiles.

    Parameters
    ----------
    name, place
        The file and the part of it that makes the claim, for the error.
    width_px, height_px, tile_width_px, tile_height_px
        As stated; for an image that is not tiled, its one tile is as large as itself.

    Raises
    ------
    SlideUnreadable
        If one of them is zero or negative.
    SlideImplausible
        If level, tile or the number of tiles is larger than any scanner writes.
    """
    for what, px in (
        ("width", width_px),
        ("height", height_px),
        ("tile width", tile_width_px),
        ("tile height", tile_height_px),
    ):
        if px < 1:
            raise SlideUnreadable(name=name, place=place, reason=f"its {what} is {px} px")
    tiles = -(-width_px // tile_width_px) * -(-height_px // tile_height_px)
    for what, claimed, limit in (
        ("pixels in a level", width_px * height_px, MOST_LEVEL_PX),
        ("pixels in a tile", tile_width_px * tile_height_px, MOST_TILE_PX),
        ("tiles", tiles, MOST_TILES),
    ):
        if claimed > limit:
            raise SlideImplausible(name=name, place=place, claim=f"{claimed:,} {what}", limit=f"{limit:,}")
    return tiles
