"""docs/reference/cli.md, of the Typer application and, for the commands that pass on, of their argparse parsers."""

import argparse
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer
from markdown import code, joined, table

from coverslip.cli.main import app
from coverslip.embedded.__main__ import parser as embedded_parser
from coverslip.worker.__main__ import parser as worker_parser


def _embedded(command: str) -> argparse.ArgumentParser:
    subparsers = next(action for action in embedded_parser()._actions if isinstance(action, argparse._SubParsersAction))
    found: argparse.ArgumentParser = subparsers.choices[command]
    return found


_PASSED_ON = {
    "coverslip up": _embedded("up"),
    "coverslip worker": worker_parser(),
    "coverslip system login-link": _embedded("login-link"),
    "coverslip system backup": _embedded("backup"),
    "coverslip system restore": _embedded("restore"),
}
_INTRODUCTION = """\
# Command line

Made of the program by `make docs`. `coverslip … --help` prints the same. Exit codes are told in
[When something is wrong](../how-to/when-something-is-wrong.md#exit-codes).
"""


def page() -> str:
    """The page."""
    return joined([_INTRODUCTION, *_commands(typer.main.get_command(app), "coverslip")])


def _commands(command: Any, name: str) -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    if subcommands is not None:
        if name != "coverslip":
            yield f"## {name}"
            yield command.help or ""
        for subname, subcommand in subcommands.items():
            yield from _commands(subcommand, f"{name} {subname}")
        return
    context = command.make_context(name, [], resilient_parsing=True)
    is_passed_on = name in _PASSED_ON
    rows = list(_argparse_rows(_PASSED_ON[name]) if is_passed_on else (_row(each, context) for each in command.params))
    arguments = [row for row in rows if not row[0].startswith("`-")]
    yield f"{'##' if name.count(' ') == 1 else '###'} {name}"
    yield command.help or ""
    yield table(("argument", "", "default", "means"), arguments)
    yield table(("option", "", "default", "means"), [row for row in rows if row not in arguments])


def _row(parameter: Any, context: typer.Context) -> tuple[str, str, str, str]:
    spelled = ", ".join(code(word) for word in (*parameter.opts, *parameter.secondary_opts))
    is_flag = bool(getattr(parameter, "is_flag", False))
    kind = "" if is_flag else code(parameter.display_type(context).strip("<>"))
    return spelled, kind, _default(parameter.default, parameter, is_flag=is_flag), parameter.help or ""


def _default(value: Any, parameter: Any, *, is_flag: bool) -> str:
    if parameter.required:
        return "required"
    if value is None or (is_flag and not parameter.secondary_opts):
        return ""
    if is_flag:
        return code((parameter.opts if value else parameter.secondary_opts)[0])
    return code(value.value if isinstance(value, Enum) else value)


def _argparse_rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        spelled = ", ".join(code(word) for word in action.option_strings) or code(action.dest)
        kind = code((action.metavar or action.dest).lower()) if action.option_strings else ""
        default = "required" if action.required else code("" if action.default is None else action.default)
        said = (action.help or "").replace(" (default: %(default)s)", "")
        yield spelled, kind, default, f"{said[:1].upper()}{said[1:]}."
