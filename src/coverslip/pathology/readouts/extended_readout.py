"""One readout that says what it is."""

from dataclasses import dataclass

from coverslip.pathology.readouts.values import Value

SLIDE = "Slide"
TUMOR = "Tumor"


@dataclass(frozen=True)
class ExtendedReadout:
    """A value with its meaning.

    Attributes
    ----------
    name
        Unique on a slide, in the style of the slide readouts.
    region
        The tissue or zone that it speaks of; `TUMOR` for the zones inside the border together, `SLIDE` for all tissue.
    cell_class
        The class of `CELL` that it speaks of, or None.
    value
        None where there is nothing to say.
    unit
        Such as ``cells/mm²``; empty for a word.
    definition
        How it comes about, with its source.
    """

    name: str
    region: str
    cell_class: str | None
    value: Value
    unit: str
    definition: str
