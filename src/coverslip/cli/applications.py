"""`coverslip application`: what a platform can do with slides."""

from typing import Annotated

import typer

from coverslip.cli.output import Format, FormatOption, print_json, print_table, say
from coverslip.cli.session import open_client

app = typer.Typer(help="See the applications of the platform, and run them.", no_args_is_help=True)


@app.command("list")
def list_applications(
    verbose: Annotated[bool, typer.Option(help="Show description and artifacts too.")] = False,
    style: FormatOption = Format.TEXT,
) -> None:
    """List the applications that you may use."""
    with open_client() as client:
        applications = list(client.applications.list())
        if style is Format.JSON:
            print_json([application.model_dump(mode="json") for application in applications])
            return
        if not verbose:
            rows = (
                (a.application_id, a.name, a.latest_version.number if a.latest_version else "-") for a in applications
            )
            print_table(("APPLICATION", "NAME", "LATEST VERSION"), rows)
            return
        for application in applications:
            say(f"{application.application_id}: {application.name} ({', '.join(application.regulatory_classes)})")
            say(f"  {application.description}")
            for released in client.versions.list_sorted(application.application_id):
                version = client.application_version(application.application_id, released.number)
                inputs, outputs = len(version.input_artifacts), len(version.output_artifacts)
                say(f"  {released.number} of {released.released_at:%Y-%m-%d}")
                say(f"    Artifacts: {inputs} input(s), {outputs} output(s)")


@app.command()
def describe(
    application_id: str,
    verbose: Annotated[bool, typer.Option(help="Show every version with its artifacts, not only the latest.")] = False,
    style: FormatOption = Format.TEXT,
) -> None:
    """Show an application: its versions, what it takes and what it gives."""
    with open_client() as client:
        application = client.application(application_id)
        numbers = [version.number for version in client.versions.list_sorted(application)]
        versions = [client.application_version(application_id, n) for n in (numbers if verbose else numbers[:1])]
    if style is Format.JSON:
        details = [version.model_dump(mode="json") for version in versions]
        print_json({**application.model_dump(mode="json"), "version_details": details})
        return
    say(f"{application.application_id}: {application.name} ({', '.join(application.regulatory_classes)})")
    say(application.description)
    for version in versions:
        say(f"\nVersion {version.version_number} of {version.released_at:%Y-%m-%d}: {version.changelog}")
        say("takes, for each slide")
        for taken in version.input_artifacts:
            say(f"  {taken.name} ({taken.mime_type})")
        say("gives, for each slide")
        for given in version.output_artifacts:
            say(f"  {given.name} ({given.mime_type})")
