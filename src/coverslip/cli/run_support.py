"""`coverslip application run support-bundle`: what somebody who helps needs to know."""

from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli.output import note, say
from coverslip.cli.run_options import RunArgument
from coverslip.cli.session import open_client

app = typer.Typer()


@app.command("support-bundle")
def support_bundle(
    run_id: RunArgument,
    output: Annotated[Path | None, typer.Argument(help="The zip to write; support-<run id>.zip when absent.")] = None,
    with_metadata: Annotated[bool, typer.Option("--with-metadata", help="Put the custom metadata in too.")] = False,
) -> None:
    """Write a zip with all that is known of a run, its slides and their attempts, without secrets."""
    from coverslip.workflow.support_bundle import write_support_bundle

    with open_client() as client:
        path = write_support_bundle(
            client, run_id, output or Path(f"support-{run_id}.zip"), with_metadata=with_metadata
        )
    say(f"Wrote {path}.")
    note("It holds the names of the slides and what the application printed: look into it before you send it.")
