"""The coarse plan of a phantom: where tissue lies, and where its defects. All lengths in µm, on the whole slide."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.slides.phantom.options import PenColor, PhantomOptions

Points = NDArray[np.float64]

FINEST_PEN_UM = 320.0


@dataclass(frozen=True)
class Blob:
    """A round shape with lobes: its radius at angle a is ``radius_um * (1 + Σ lobes cos(k a + phase))``.

    ``stretch`` squeezes it along one axis, which is turned by ``angle``; ``lobes`` is ((k, strength, phase), …).
    """

    x_um: float
    y_um: float
    radius_um: float
    stretch: float = 1.0
    angle: float = 0.0
    lobes: tuple[tuple[int, float, float], ...] = ()

    @property
    def reach_um(self) -> float:
        """No point of it is farther from its centre."""
        return self.radius_um * (1 + sum(abs(strength) for _, strength, _ in self.lobes)) * max(1.0, self.stretch)

    def depth_um(self, x_um: Points, y_um: Points) -> Points:
        """About how far points lie inside, negative outside."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        dx, dy = x_um - self.x_um, y_um - self.y_um
        u, v = (dx * cos + dy * sin) / self.stretch, dy * cos - dx * sin
        around = np.arctan2(v, u)
        shape = sum((strength * np.cos(k * around + phase) for k, strength, phase in self.lobes), np.ones_like(around))
        depth: Points = self.radius_um * shape - np.hypot(u, v)
        return depth


@dataclass(frozen=True)
class Stroke:
    """A band along a line: ``points_um`` (n, 2), ``width_um`` across."""

    points_um: Points
    width_um: float

    @property
    def bounds_um(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y of the band."""
        low, high = self.points_um.min(axis=0) - self.width_um, self.points_um.max(axis=0) + self.width_um
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True)
class Plan:
    """Everything on the slide that is not a function of place alone."""

    islands: tuple[Blob, ...]
    dust: tuple[Blob, ...]
    pen: Stroke | None
    pen_color: PenColor
    blur: Blob | None
    fold: Stroke | None
    bubble: Blob | None
    coverslip_edge: Stroke | None


def make_plan(options: PhantomOptions) -> Plan:
    """Draw the plan of a slide from its seed."""
    random = np.random.default_rng([options.seed, 7])
    width_um, height_um = options.size_um
    short_um = min(width_um, height_um)
    islands = _islands(random, width_um, height_um)
    first = islands[0]
    # Each defect has a generator of its own, so that leaving one out moves no other.
    pen, blur, fold, bubble, dust = (np.random.default_rng([options.seed, salt]) for salt in range(11, 16))
    chosen = (PenColor.GREEN, PenColor.BLUE, PenColor.BLACK)[int(pen.integers(3))]
    return Plan(
        islands=islands,
        dust=tuple(_speck(dust, width_um, height_um) for _ in range(3 + int(width_um * height_um / 4e6))),
        pen=_pen(pen, width_um, height_um) if options.pen_mark else None,
        pen_color=options.pen_color or chosen,
        blur=_near(blur, first, 0.45, 0.30 * first.radius_um) if options.blur_patch else None,
        fold=_fold(fold, first) if options.fold else None,
        bubble=_bubble(bubble, first, short_um) if options.bubble else None,
        coverslip_edge=_edge(bubble, width_um, height_um) if options.bubble else None,
    )


def _islands(random: np.random.Generator, width_um: float, height_um: float) -> tuple[Blob, ...]:
    """One large piece of tissue, and smaller ones where there is room."""
    short_um = min(width_um, height_um)
    found: list[Blob] = []
    for number in range(40):
        radius_um = short_um * (random.uniform(0.27, 0.33) if number == 0 else random.uniform(0.06, 0.16))
        edge_um = 1.15 * radius_um
        if number == 0:
            x_um, y_um = width_um * random.uniform(0.42, 0.52), height_um * random.uniform(0.46, 0.54)
        else:
            x_um, y_um = random.uniform(edge_um, width_um - edge_um), random.uniform(edge_um, height_um - edge_um)
        lobes = tuple((k, random.uniform(-0.30, 0.30) / k, random.uniform(0, 2 * math.pi)) for k in (2, 3, 4, 5, 7, 9))
        blob = Blob(x_um, y_um, radius_um, random.uniform(0.75, 1.25), random.uniform(0, math.pi), lobes)
        apart = all(math.hypot(x_um - o.x_um, y_um - o.y_um) > 1.05 * (blob.reach_um + o.reach_um) for o in found)
        if apart and (number == 0 or len(found) < 6):
            found.append(blob)
    return tuple(found)


def _near(random: np.random.Generator, island: Blob, offset: float, radius_um: float) -> Blob:
    angle, lobes = random.uniform(0, 2 * math.pi), ((2, 0.15, random.uniform(0, 6)), (3, 0.1, random.uniform(0, 6)))
    distance_um = offset * island.radius_um
    x_um, y_um = island.x_um + distance_um * math.cos(angle), island.y_um + distance_um * math.sin(angle)
    return Blob(x_um, y_um, radius_um, 1.0, 0.0, lobes)


def _speck(random: np.random.Generator, width_um: float, height_um: float) -> Blob:
    lobes = tuple((k, random.uniform(-0.25, 0.25), random.uniform(0, 2 * math.pi)) for k in (2, 3, 5))
    x_um, y_um = random.uniform(0, width_um), random.uniform(0, height_um)
    size_um = float(np.exp(random.uniform(math.log(4), math.log(45))))
    return Blob(x_um, y_um, size_um, random.uniform(0.6, 1.7), random.uniform(0, math.pi), lobes)


def _pen(random: np.random.Generator, width_um: float, height_um: float) -> Stroke:
    """A stroke along one side that cuts through the edge of the tissue, with the sway of a hand."""
    along = np.linspace(-0.05, random.uniform(0.7, 1.05), 60)
    side = random.uniform(0.14, 0.24) + 0.16 * along * random.uniform(-0.3, 1)
    sway = sum(random.uniform(0.005, 0.018) * np.sin(k * along * 5 + random.uniform(0, 6)) for k in (1, 2, 3))
    points = np.stack([along * width_um, (side + sway) * height_um], axis=1)
    if random.random() < 0.5:
        points[:, 1] = height_um - points[:, 1]
    return Stroke(points, max(FINEST_PEN_UM, min(0.1 * min(width_um, height_um), random.uniform(350, 800))))


def _fold(random: np.random.Generator, island: Blob) -> Stroke:
    """A narrow band across the tissue, slightly bent."""
    angle, bend = random.uniform(0, math.pi), random.uniform(-0.25, 0.25)
    along = np.linspace(-0.75, 0.75, 40) * island.radius_um
    across = bend * island.radius_um * (along / island.radius_um) ** 2 + random.uniform(0.2, 0.4) * island.radius_um
    cos, sin = math.cos(angle), math.sin(angle)
    points = np.stack([island.x_um + along * cos - across * sin, island.y_um + along * sin + across * cos], axis=1)
    return Stroke(points, min(0.09 * island.radius_um, random.uniform(70, 150)))


def _bubble(random: np.random.Generator, island: Blob, short_um: float) -> Blob:
    blob = _near(random, island, 0.95, 0.0)
    radius_um = min(0.09 * short_um, random.uniform(500, 1100))
    return Blob(blob.x_um, blob.y_um, radius_um, random.uniform(0.85, 1.2), random.uniform(0, 3), ((2, 0.05, 1.0),))


def _edge(random: np.random.Generator, width_um: float, height_um: float) -> Stroke:
    """The coverslip's edge from top to bottom near the right side, not quite straight up."""
    x_um, lean = width_um * random.uniform(0.93, 0.96), width_um * random.uniform(-0.02, 0.02)
    along = np.linspace(-0.02, 1.02, 60)
    points = np.stack([x_um + lean * (along - 0.5) + 0.002 * width_um * along**2, along * height_um], axis=1)
    return Stroke(points, min(0.012 * width_um, random.uniform(60, 140)))
