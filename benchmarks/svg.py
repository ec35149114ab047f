"""Line charts as SVG, the same for the same values."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 780, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 200, 44, 48
_COLOURS = ("#2b62b5", "#a3432f", "#4b7f3a", "#8a5fa8")
_STYLE = """
    .paper { fill: #ffffff } .grid { stroke: #dde3ea; stroke-width: 1 }
    text { font: 13px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: #1d2733 }
    .title { font-weight: 600; font-size: 15px } .curve { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) { .paper { fill: #12171e } .grid { stroke: #33404f } text { fill: #e3e9f0 } }
"""


@dataclass(frozen=True)
class Curve:
    """Points, in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]


def write_chart(path: Path, title: str, x_title: str, y_title: str, curves: Sequence[Curve]) -> None:
    """Draw the curves, none of whose values is negative, on axes that begin at 0; their names stand beside them."""
    x_ticks = _ticks(max(x for curve in curves for x, _ in curve.points))
    y_ticks = _ticks(max(y for curve in curves for _, y in curve.points))
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    middle_y = _TOP + height / 2

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + width * x / x_ticks[-1], _TOP + height * (1 - y / y_ticks[-1])

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="title">',
        f'  <title id="title">{escape(title)}</title>',
        f"  <style>{_STYLE}  </style>",
        f'  <rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'  <text class="title" x="{_LEFT}" y="24">{escape(title)}</text>',
    ]
    for tick in y_ticks:
        _, y = place(0, tick)
        lines.append(f'  <path class="grid" d="M{_LEFT} {y:.1f}H{_LEFT + width}"/>')
        lines.append(f'  <text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        x, _ = place(tick, 0)
        lines.append(f'  <text x="{x:.1f}" y="{_TOP + height + 18}" text-anchor="middle">{tick:g}</text>')
    lines += [
        f'  <text x="{_LEFT + width / 2:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_title)}</text>',
        f'  <text transform="translate(16 {middle_y:.1f}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>',
    ]
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        joined = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in curve.points)
        name_y = _TOP + 14 + 20 * number
        lines += [
            f'  <polyline class="curve" stroke="{colour}" points="{joined}"/>',
            f'  <path class="curve" stroke="{colour}" d="M{_LEFT + width + 12} {name_y - 4}h18"/>',
            f'  <text x="{_LEFT + width + 36}" y="{name_y}">{escape(curve.name)}</text>',
        ]
    path.write_text("\n".join([*lines, "</svg>"]) + "\n")


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 until ``most`` is reached, four to eight of them."""
    magnitude = 10 ** floor(log10(most))
    step = next(
        step for step in (magnitude / 5, magnitude / 4, magnitude / 2, magnitude, 2 * magnitude) if most <= 6 * step
    )
    return [number * step for number in range(ceil(most / step - 1e-9) + 1)]
