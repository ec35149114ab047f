"""`coverslip system`: the platform and the settings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from coverslip.cli.failures import FAILED
from coverslip.cli.output import Format, FormatOption, print_json, print_table
from coverslip.cli.server_commands import PASS_ALL_ARGUMENTS, become
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.platform.settings import Settings

app = typer.Typer(help="Health, settings, and the platform on this machine.", no_args_is_help=True)


@app.command()
def health() -> None:
    """Show whether the platform is well; ends with 1 if it is not."""
    with open_client() as client:
        report = client.health()
    print_json(report.model_dump(mode="json"))
    if report.status == "DOWN":
        raise typer.Exit(FAILED)


@app.command()
def config(style: FormatOption = Format.TEXT) -> None:
    """Show each setting of the client and where it comes from."""
    from coverslip.platform.settings import Settings, load_settings, resolve_api_root

    settings = load_settings()
    values = {**settings.model_dump(mode="json"), "api_root": resolve_api_root(settings)}
    rows = [
        {"setting": f"COVERSLIP_{name.upper()}", "value": values[name], "source": _source(name, settings)}
        for name in Settings.model_fields
    ]
    if style is Format.JSON:
        print_json(rows)
    else:
        print_table(("SETTING", "VALUE", "SOURCE"), ((row["setting"], row["value"], row["source"]) for row in rows))


@app.command("login-link", context_settings=PASS_ALL_ARGUMENTS, add_help_option=False)
def login_link(context: typer.Context) -> None:
    """Print a one-time link to log in to the platform that runs on this machine."""
    become("coverslip.embedded", "login-link", *context.args)


@app.command(context_settings=PASS_ALL_ARGUMENTS, add_help_option=False)
def backup(context: typer.Context) -> None:
    """Write a backup of the platform on this machine, running or not, into one file."""
    become("coverslip.embedded", "backup", *context.args)


@app.command(context_settings=PASS_ALL_ARGUMENTS, add_help_option=False)
def restore(context: typer.Context) -> None:
    """Make a platform on this machine of a backup."""
    become("coverslip.embedded", "restore", *context.args)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the API; needs no running platform."""
    become("coverslip.service", "openapi")


def _source(name: str, settings: "Settings") -> str:
    """Where the value of a setting comes from."""
    from coverslip.platform.settings import running_platform

    if f"COVERSLIP_{name}".upper() in {variable.upper() for variable in os.environ}:
        return "environment"
    if name in settings.model_fields_set:
        return str(Path(".env").absolute())
    if name == "api_root" and running_platform(settings) is not None:
        return f"{settings.address_file} (written by `coverslip up`)"
    return "default"
