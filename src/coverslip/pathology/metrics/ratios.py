"""The ratio that every score is."""


def share(part: float, whole: float) -> float:
    """``part / whole``, and 1 where there was nothing to find and nothing was found."""
    return part / whole if whole else 1.0


def f1_score(matched: float, truth: float, found: float) -> float:
    """Harmonic mean of precision and recall of ``matched`` pairs among ``truth`` and ``found`` things, 0 to 1."""
    return share(2 * matched, truth + found)
