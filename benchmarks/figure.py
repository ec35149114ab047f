"""One measured figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, what came out, and what was aimed at.

    ``peer`` names what was measured beside it in the same run, with its result.
    """

    name: str
    result: str
    aim: str = ""
    peer: str = ""
