"""What an overlay can show, apart from the drawing, whose packages take long to import."""

from enum import StrEnum


class Layer(StrEnum):
    """What can be drawn over a slide."""

    QC = "qc"
    TISSUE = "tissue"
    CELLS = "cells"
