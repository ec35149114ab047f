"""Fill in columns of the metadata table by patterns on the slides' paths (`--mapping`)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coverslip.workflow.errors import BadMapping
from coverslip.workflow.table import ENTERED_COLUMNS, PARSERS, SlideRow


@dataclass(frozen=True)
class Mapping:
    """Rows whose external id `pattern` is found in get `values`."""

    pattern: re.Pattern[str]
    values: tuple[tuple[str, Any], ...]


def parse_mapping(text: str) -> Mapping:
    """Understand ``<regex>:<column>=<value>,<column>=<value>``. The first colon ends the expression.

    Raises
    ------
    BadMapping
    """
    expression, colon, assignments = text.partition(":")
    if not colon:
        raise BadMapping(mapping=text, reason="it has no colon")
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise BadMapping(mapping=text, reason=f"{expression!r} is no regular expression, {error}") from error
    values = []
    for assignment in assignments.split(","):
        column, equals, value = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise BadMapping(mapping=text, reason=f"{assignment!r} has no equals sign")
        if column not in ENTERED_COLUMNS:
            known = ", ".join(ENTERED_COLUMNS)
            raise BadMapping(mapping=text, reason=f"there is no column {column!r} to fill in (only {known})")
        try:
            values.append((column, PARSERS.get(column, str)(value)))
        except ValueError as error:
            raise BadMapping(mapping=text, reason=f"{column}: {error}") from error
    return Mapping(pattern, tuple(values))


def apply_mappings(rows: Iterable[SlideRow], mappings: Sequence[Mapping]) -> list[SlideRow]:
    """The rows with the mappings applied in order; a later one overrides an earlier one."""
    changed = []
    for row in rows:
        for mapping in mappings:
            if mapping.pattern.search(row.external_id):
                row = replace(row, **dict(mapping.values))
        changed.append(row)
    return changed
