"""Micrometres per pixel, from every tag that may carry it. Each function is pure and knows one source."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

Mpp = tuple[float, float]
"""Micrometres per level-0 pixel along x and y."""

MICROMETRES_PER_RESOLUTION_UNIT = {2: 25_400.0, 3: 10_000.0}
"""TIFF 6.0, tag 296 ResolutionUnit: 2 is the inch, 3 the centimetre; 1 means no absolute unit."""

MICROMETRES_PER_OME_UNIT = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
"""Lengths of the OME-XML schema (2016-06), whose default unit is µm."""

TOLERANCE = 0.05
"""Two statements of a resolution that differ by more, relative to the smaller, contradict each other."""

LONGEST_TAG = 2_000
"""Characters of an XML tag that are looked at, of some 600; on a hostile one matching takes their square in steps."""

COARSEST_MPP = 50.0
"""No slide scanner is coarser; image programs write 72 or 96 dpi (353 or 265 µm/px) where they know nothing."""


def plausible(x: float, y: float) -> Mpp | None:
    """The pair, if both are positive, finite and no coarser than `COARSEST_MPP`; otherwise None."""
    if all(math.isfinite(value) and 0 < value <= COARSEST_MPP for value in (x, y)):
        return x, y
    return None


def mpp_from_openslide(properties: Mapping[str, str]) -> Mpp | None:
    """From OpenSlide's ``openslide.mpp-x`` and ``openslide.mpp-y``."""
    x, y = positive(properties.get("openslide.mpp-x")), positive(properties.get("openslide.mpp-y"))
    return None if x is None or y is None else plausible(x, y)


def mpp_from_openslide_tiff(properties: Mapping[str, str]) -> Mpp | None:
    """From the TIFF resolution tags as OpenSlide repeats them in words."""
    x, y = positive(properties.get("tiff.XResolution")), positive(properties.get("tiff.YResolution"))
    unit = {"inch": 2, "centimeter": 3}.get(properties.get("tiff.ResolutionUnit", ""), 1)
    return None if x is None or y is None else mpp_from_resolution(x, y, unit)


def mpp_from_aperio(description: str) -> Mpp | None:
    """From ``MPP = 0.4990`` in the ImageDescription of an Aperio slide."""
    value = positive(aperio_fields(description).get("MPP"))
    return None if value is None else plausible(value, value)


def mpp_from_resolution(x_resolution: float, y_resolution: float, unit: int) -> Mpp | None:
    """From the TIFF tags XResolution, YResolution (pixels per unit) and ResolutionUnit (2 inch, 3 centimetre)."""
    micrometres = MICROMETRES_PER_RESOLUTION_UNIT.get(unit)
    if micrometres is None or x_resolution <= 0 or y_resolution <= 0:
        return None
    return plausible(micrometres / x_resolution, micrometres / y_resolution)


def mpp_from_ome(xml: str) -> Mpp | None:
    """From PhysicalSizeX and PhysicalSizeY of the first Pixels element of OME-XML, in whatever unit it names."""
    # Attributes of one tag need no XML parser, and a slide is untrusted: no entities are expanded here.
    start = re.search(r"<(?:\w{1,50}:)?Pixels\b", xml)
    tag = xml[start.end() : start.end() + LONGEST_TAG].split(">")[0] if start else ""
    attributes = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', tag))
    sizes = []
    for axis in "XY":
        value = positive(attributes.get(f"PhysicalSize{axis}"))
        unit = MICROMETRES_PER_OME_UNIT.get(attributes.get(f"PhysicalSize{axis}Unit", "µm").replace("μ", "µ"))
        if value is None or unit is None:
            return None
        sizes.append(value * unit)
    return plausible(sizes[0], sizes[1])


def aperio_fields(description: str) -> dict[str, str]:
    """The ``key = value`` fields of an Aperio ImageDescription, which follow its first ``|``."""
    pairs = (field.split("=", 1) for field in description.split("|")[1:] if "=" in field)
    return {key.strip(): value.strip() for key, value in pairs}


def positive(text: str | None) -> float | None:
    """The number in a text, with a point or a comma; None unless it is positive and finite."""
    try:
        value = math.nan if text is None else float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


@dataclass(frozen=True)
class StatedResolution:
    """What a file says of its resolution: the value to use, every source with its mean, and what is odd about them."""

    x: float | None
    y: float | None
    sources: Mapping[str, float]
    warnings: tuple[str, ...]


def stated(found: Mapping[str, Mpp | None]) -> StatedResolution:
    """Weigh the sources of one file, the most trusted first: the first that says something is used.

    Sources that differ by more than `TOLERANCE`, and pixels that are not square, are warned of.
    """
    known = {source: mpp for source, mpp in found.items() if mpp is not None}
    means = {source: (x + y) / 2 for source, (x, y) in known.items()}
    if not known:
        return StatedResolution(None, None, {}, ())
    warnings = []
    if max(means.values()) > (1 + TOLERANCE) * min(means.values()):
        listed = ", ".join(f"{mean:.4g} µm/px ({source})" for source, mean in means.items())
        warnings.append(f"the file states different resolutions: {listed}; the first is used")
    x, y = next(iter(known.values()))
    if max(x, y) > (1 + TOLERANCE) * min(x, y):
        warnings.append(f"its pixels are not square: {x:.4g} µm wide, {y:.4g} µm high; their mean is used")
    return StatedResolution(x, y, means, tuple(warnings))
