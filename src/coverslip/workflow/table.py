"""The metadata table of a run: a CSV file that a person can complete in a spreadsheet.

UTF-8, separated by semicolons, one row for each slide, the columns of the published client in its order.
"""

import csv
import io
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from coverslip.contract.items import MAX_EXTERNAL_ID_LENGTH
from coverslip.contract.uploads import CRC32C_PATTERN
from coverslip.workflow.errors import TableFaulty, TableUnusable

DELIMITER = ";"
FIRST_ROW = 2
"""Row 1 of the file has the names of the columns, as spreadsheets count."""


@dataclass(frozen=True)
class SlideRow:
    """A slide of a run. `external_id` is its absolute path; empty text and None are "not known"."""

    external_id: str
    checksum_base64_crc32c: str
    resolution_mpp: float | None
    width_px: int | None
    height_px: int | None
    staining_method: str = ""
    tissue: str = ""
    disease: str = ""
    platform_bucket_url: str = ""


COLUMNS = tuple(field.name for field in fields(SlideRow))
ENTERED_COLUMNS = ("staining_method", "tissue", "disease", "resolution_mpp")
"""What a slide file often does not say and a person enters."""

REQUIRED_COLUMNS = ("external_id", "checksum_base64_crc32c")


def write_table(path: Path, rows: Iterable[SlideRow]) -> None:
    """Write a new table in one step.

    Raises
    ------
    TableUnusable
        If the file cannot be written.
    """
    cells = [{name: _cell(getattr(row, name)) for name in COLUMNS} for row in rows]
    _replace(path, COLUMNS, cells)


def read_table(path: Path) -> list[SlideRow]:
    """Read a table, in whatever order its columns are; further columns are left alone.

    Raises
    ------
    TableUnusable
        If it is not such a table at all.
    TableFaulty
        Naming row and column of every value that cannot be used.
    """
    _, cells = _read_cells(path)
    rows, faults = [], []
    seen: dict[str, int] = {}
    for number, row in enumerate(cells, FIRST_ROW):
        values: dict[str, Any] = {}
        for column in COLUMNS:
            try:
                values[column] = PARSERS.get(column, str)(row.get(column) or "")
            except ValueError as error:
                faults.append(f"row {number}, column {column}: {error}")
        external_id = row.get("external_id") or ""
        if external_id in seen:
            faults.append(f"row {number}, column external_id: the same as in row {seen[external_id]}")
        seen.setdefault(external_id, number)
        if len(values) == len(COLUMNS):
            rows.append(SlideRow(**values))
    if faults:
        raise TableFaulty(path=path, count=len(faults), faults=faults)
    return rows


def keep_entered(path: Path, rows: Iterable[SlideRow]) -> list[SlideRow]:
    """The rows, with what a person entered for the same slides in the table at `path`, if there is one.

    Raises
    ------
    TableUnusable, TableFaulty
        If the file there is no such table; it is not for us to overwrite.
    """
    if not path.exists():
        return list(rows)
    entered = {row.external_id: row for row in read_table(path)}
    kept = []
    for row in rows:
        known = entered.get(row.external_id, row)
        missing = [name for name in ENTERED_COLUMNS if not getattr(row, name)]
        kept.append(replace(row, **{name: getattr(known, name) for name in missing}))
    return kept


def record_uploads(path: Path, urls: Mapping[str, str]) -> None:
    """Enter `platform_bucket_url` by external id; everything else in the file stays as it is."""
    columns, cells = _read_cells(path)
    for row in cells:
        if (url := urls.get(row["external_id"])) is not None:
            row["platform_bucket_url"] = url
    _replace(path, columns, cells)


def _read_cells(path: Path) -> tuple[Sequence[str], list[dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # spreadsheets put a byte order mark in front
    except FileNotFoundError as error:
        reason = "it does not exist; `coverslip application run prepare` makes it"
        raise TableUnusable(path=path, reason=reason) from error
    except OSError as error:
        raise TableUnusable(path=path, reason=error.strerror or error) from error
    except UnicodeDecodeError as error:
        raise TableUnusable(path=path, reason="it is not UTF-8 text; save it as CSV UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=DELIMITER)
    columns = [*(reader.fieldnames or []), *(name for name in COLUMNS if name not in (reader.fieldnames or []))]
    missing = [name for name in REQUIRED_COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        reason = f"it has no column {' and no column '.join(missing)}; its columns must be separated by semicolons"
        raise TableUnusable(path=path, reason=reason)
    try:
        cells = [row for row in reader if any(row.values())]
    except csv.Error as error:
        raise TableUnusable(path=path, reason=f"line {reader.line_num}: {error}") from error
    surplus = next((number for number, row in enumerate(cells, FIRST_ROW) if None in row), None)
    if surplus is not None:
        raise TableUnusable(path=path, reason=f"row {surplus} has more values than there are columns")
    if not cells:
        raise TableUnusable(path=path, reason="it has no rows")
    return columns, cells


def _replace(path: Path, columns: Sequence[str], cells: Iterable[Mapping[str, str]]) -> None:
    """Write beside, then rename: a reader or a crash never meets half a table. Only its owner can read it, because the
    addresses of uploaded slides in it are signed."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=DELIMITER, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(cells)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise TableUnusable(path=path, reason=error.strerror or error) from error


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _external_id(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    if len(text) > MAX_EXTERNAL_ID_LENGTH:
        raise ValueError(f"it has {len(text)} characters, at most {MAX_EXTERNAL_ID_LENGTH} are allowed")
    return text


def _checksum(text: str) -> str:
    if not re.match(CRC32C_PATTERN, text):
        raise ValueError(f"{text!r} is no CRC-32C in base64")
    return text


def _pixels(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _mpp(text: str) -> float | None:
    """Published tables say 0.0 for an unknown resolution."""
    try:
        value = float(text or 0)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; write it with a point, such as 0.25") from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{text!r} is no resolution in micrometres per pixel")
    return value or None


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "external_id": _external_id,
    "checksum_base64_crc32c": _checksum,
    "resolution_mpp": _mpp,
    "width_px": _pixels,
    "height_px": _pixels,
}
