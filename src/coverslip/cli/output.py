"""What commands print: plain sentences and JSON to stdout, tables through Rich, nothing that could steer a terminal."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

FORMAT_KEY = "coverslip.format"
WIDTH_WITHOUT_TERMINAL = 200


class Format(StrEnum):
    """How a command prints its answer."""

    TEXT = "text"
    JSON = "json"


def _remember(context: typer.Context, value: Format) -> Format:
    """Errors are told in the format that the answer would have had."""
    context.meta[FORMAT_KEY] = value
    return value


FormatOption = Annotated[
    Format, typer.Option("--format", callback=_remember, help="How to print: text for people, json for programs.")
]


def visible(text: object) -> str:
    """`text` with control characters made harmless: names come from files and servers, and could move the cursor."""
    return "".join(
        char if char == "\n" or not unicodedata.category(char).startswith("C") else "\N{REPLACEMENT CHARACTER}"
        for char in str(text)
    )


def say(text: object = "") -> None:
    """Print a line to stdout."""
    typer.echo(visible(text))


def note(text: object = "") -> None:
    """Print a line to stderr: what happens, as opposed to the answer."""
    typer.echo(visible(text), err=True)


def print_json(document: Any) -> None:
    """Print a JSON document to stdout; times and ids in it become text."""
    typer.echo(json.dumps(document, indent=2, default=str, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, unbroken: str | None = None) -> None:
    """Print aligned columns to stdout; the cells of the column `unbroken`, such as ids, stay whole to be copied."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH_WITHOUT_TERMINAL
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == unbroken)
    for row in rows:
        table.add_row(*(Text(visible("" if cell is None else cell)) for cell in row))
    with console.capture() as printed:
        console.print(table)
    typer.echo(printed.get(), nl=False)
