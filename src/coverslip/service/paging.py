"""Pages and sort orders of lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from sqlalchemy import ColumnElement, Select, UnaryExpression

# Beyond this row no list reaches, and PostgreSQL's OFFSET stays within a bigint.
_MAX_OFFSET = 2**62


@dataclass(frozen=True)
class Page:
    """Which rows of a list to show; pages count from 1."""

    number: int
    size: int

    def of(self, statement: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
        """Limit ``statement`` to this page."""
        return statement.limit(self.size).offset(min((self.number - 1) * self.size, _MAX_OFFSET))


SortOrder = list[UnaryExpression[object]]


def sort_order(fields: Sequence[str] | None, columns: Mapping[str, ColumnElement[object]]) -> SortOrder:
    """Turn ``sort`` parameters (``+name``, ``-name`` or ``name``) into an ORDER BY.

    Raises
    ------
    RequestValidationError
        For a field that cannot be sorted by; it names those that can.
    """
    order: SortOrder = []
    for place, field in enumerate(fields or ()):
        # An unescaped plus sign in a query string arrives as a space.
        name = field.lstrip("+- ")
        if name not in columns:
            allowed = ", ".join(sorted(columns))
            message = f"cannot sort by '{name}'; fields to sort by: {allowed}"
            raise RequestValidationError([{"loc": ("query", "sort", place), "msg": message, "type": "value_error"}])
        column = columns[name]
        order.append(column.desc().nulls_last() if field.startswith("-") else column.asc().nulls_last())
    return order
