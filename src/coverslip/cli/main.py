"""The command `coverslip`."""

import sys

import typer

from coverslip.cli import (
    applications,
    dataset,
    models,
    organization,
    quotas,
    run_sharing,
    runs,
    system,
    user,
    version_documents,
    wsi,
)
from coverslip.cli.connect import connect
from coverslip.cli.failures import CoverslipGroup
from coverslip.cli.server_commands import PASS_ALL_ARGUMENTS, become

app = typer.Typer(
    name="coverslip",
    cls=CoverslipGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
runs.app.add_typer(run_sharing.app, name="share")
applications.app.add_typer(runs.app, name="run")
applications.app.add_typer(version_documents.app, name="version")
user.app.add_typer(quotas.app)
app.add_typer(user.app, name="user")
app.add_typer(organization.app, name="organization")
app.add_typer(applications.app, name="application")
app.add_typer(wsi.app, name="wsi")
app.add_typer(models.app, name="model")
app.add_typer(dataset.app, name="dataset")
app.add_typer(system.app, name="system")
app.command()(connect)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from coverslip import __version__

        typer.echo(f"coverslip {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=show_version, is_eager=True, help="Print the version."),
) -> None:
    """Analyse whole slide images on a Coverslip platform, be it your hospital's or one on this machine."""


@app.command(
    context_settings=PASS_ALL_ARGUMENTS,
    add_help_option=False,
    help="Run a whole platform on this machine, until Ctrl-C.",
)
def up(context: typer.Context) -> None:
    """Run a whole platform on this machine, until Ctrl-C."""
    become("coverslip.embedded", "up", *context.args)


@app.command(
    context_settings=PASS_ALL_ARGUMENTS,
    add_help_option=False,
    help="Process items for a platform that runs elsewhere, on this machine or on a Ray cluster, until Ctrl-C.",
)
def worker(context: typer.Context) -> None:
    """Process items for a platform that runs elsewhere, on this machine or on a Ray cluster, until Ctrl-C."""
    become("coverslip.worker", *context.args)


def main() -> None:
    """Entry point of the console script; ends the process with the exit codes of `coverslip.cli.failures`."""
    for stream in (sys.stdout, sys.stderr):
        # A path or name that the terminal's encoding lacks is no reason to fail.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    app()
