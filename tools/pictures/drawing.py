"""Outlines over a slide, panels side by side, and the legend of classes below."""

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

Color = tuple[int, int, int]

MARGIN_PX, TEXT_PX, SWATCH_PX = 12, 17, 16
FILL_ALPHA, LINE_PX = 70, 2
PAPER, TEXT_COLOR = (255, 255, 255), (40, 40, 40)
FONT = ImageFont.load_default(TEXT_PX)
assert isinstance(FONT, FreeTypeFont)


def outlined(image: Image.Image, scale: float, features: Sequence[Mapping[str, Any]]) -> Image.Image:
    """The image with every feature's polygon, holes left out, filled lightly and outlined in its class's colour."""
    over = image.convert("RGBA")
    for feature in features:
        color = tuple(feature["properties"]["classification"]["color"])
        rings = [[(x * scale, y * scale) for x, y in ring] for ring in feature["geometry"]["coordinates"]]
        mask = Image.new("L", image.size)
        draw = ImageDraw.Draw(mask)
        draw.polygon(rings[0], fill=FILL_ALPHA)
        for hole in rings[1:]:
            draw.polygon(hole, fill=0)
        for ring in rings:
            draw.line(ring, fill=255, width=LINE_PX, joint="curve")
        over.paste(Image.new("RGBA", image.size, (*color, 255)), mask=mask)
    return over.convert("RGB")


def side_by_side(panels: Sequence[tuple[str, Image.Image]], legend: Mapping[str, Color]) -> Image.Image:
    """Panels under their titles, with the legend below them."""
    width_px = sum(panel.width for _, panel in panels) + MARGIN_PX * (len(panels) + 1)
    height_px = max(panel.height for _, panel in panels) + 3 * MARGIN_PX + TEXT_PX
    rows = _rows(legend, width_px)
    page = Image.new("RGB", (width_px, height_px + len(rows) * (TEXT_PX + MARGIN_PX)), PAPER)
    draw, x = ImageDraw.Draw(page), MARGIN_PX
    for title, panel in panels:
        draw.text((x, MARGIN_PX), title, TEXT_COLOR, FONT)
        page.paste(panel, (x, 2 * MARGIN_PX + TEXT_PX))
        x += panel.width + MARGIN_PX
    for number, row in enumerate(rows):
        for x, name in row:
            y = height_px + number * (TEXT_PX + MARGIN_PX)
            draw.rectangle((x, y + 2, x + SWATCH_PX, y + 2 + SWATCH_PX), fill=legend[name], outline=TEXT_COLOR)
            draw.text((x + SWATCH_PX + 6, y), name, TEXT_COLOR, FONT)
    return page


def _rows(legend: Mapping[str, Color], width_px: int) -> list[list[tuple[int, str]]]:
    rows: list[list[tuple[int, str]]] = [[]] if legend else []
    x = MARGIN_PX
    for name in legend:
        entry_px = SWATCH_PX + 6 + round(FONT.getlength(name)) + 2 * MARGIN_PX
        if x + entry_px > width_px and rows[-1]:
            rows.append([])
            x = MARGIN_PX
        rows[-1].append((x, name))
        x += entry_px
    return rows
