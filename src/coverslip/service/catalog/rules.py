"""Order of versions, by Semantic Versioning 2.0.0."""

from collections.abc import Iterable


def precedence(number: str) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...], str]:
    """A sort key: higher versions are greater (section 11 of the specification).

    A release is greater than its pre-releases; numeric identifiers are less than others; build metadata only makes
    the order total.
    """
    version, _, build = number.partition("+")
    release, _, pre = version.partition("-")
    major, minor, patch = (int(part) for part in release.split("."))
    identifiers = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pre.split(".") if part
    )
    return (major, minor, patch), not pre, identifiers, build


def newest_first(numbers: Iterable[str]) -> list[str]:
    """Sort version numbers, the highest first."""
    return sorted(numbers, key=precedence, reverse=True)
