"""The type of a row whose columns are known by name only."""

from typing import Any

from sqlalchemy import Row

AnyRow = Row[*tuple[Any, ...]]
