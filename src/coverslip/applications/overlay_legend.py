"""The legend of an overlay: what each colour means and how much of it there is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from coverslip.pathology.classes import Rgb

TEXT_PX = 14
LINE_PX = 22
BOX_PX = 12
PADDING_PX = 12
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (110, 110, 110)


@dataclass(frozen=True)
class Entry:
    """One line: the colour, what it stands for, and the amount in words."""

    name: str
    color: Rgb
    amount: str


def with_legend(picture: NDArray[np.uint8], sections: Sequence[tuple[str, Sequence[Entry]]]) -> NDArray[np.uint8]:
    """A picture (h, w, 3) with a legend on its right: for each section a heading and its entries, or "none"."""
    font = ImageFont.load_default(TEXT_PX)
    lines: list[Entry | str] = []
    for heading, entries in sections:
        lines.append(heading)
        lines.extend(entries or ["none"])
    name_px = max((font.getlength(line if isinstance(line, str) else line.name) for line in lines), default=0)
    amount_px = max((font.getlength(line.amount) for line in lines if isinstance(line, Entry)), default=0)
    amount_left = PADDING_PX + BOX_PX + PADDING_PX + round(name_px) + PADDING_PX
    width_px = amount_left + round(amount_px) + PADDING_PX
    height_px = max(picture.shape[0], 2 * PADDING_PX + LINE_PX * len(lines))
    image = Image.new("RGB", (picture.shape[1] + width_px, height_px), WHITE)
    image.paste(Image.fromarray(picture), (0, 0))
    draw, left = ImageDraw.Draw(image), picture.shape[1] + PADDING_PX
    for number, line in enumerate(lines):
        top = PADDING_PX + number * LINE_PX
        if isinstance(line, str):
            draw.text((left, top), line, GREY, font)
            continue
        draw.rectangle((left, top + 3, left + BOX_PX, top + 3 + BOX_PX), line.color, BLACK)
        draw.text((left + BOX_PX + PADDING_PX, top), line.name, BLACK, font)
        draw.text((picture.shape[1] + amount_left, top), line.amount, BLACK, font)
    return np.asarray(image)
