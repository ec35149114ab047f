"""`coverslip application version document`: what the author of a version says of it."""

from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli.output import Format, FormatOption, print_json, print_table, say
from coverslip.cli.run_options import ApplicationArgument, VersionOption
from coverslip.cli.session import open_client

app = typer.Typer(help="Look at versions of applications.", no_args_is_help=True)
document_app = typer.Typer(
    help="Read the release documents of a version: model cards, manuals, schemas.", no_args_is_help=True
)
app.add_typer(document_app, name="document")

DocumentArgument = Annotated[str, typer.Argument(help="Name of the document.")]


@document_app.command("list")
def list_documents(
    application_id: ApplicationArgument, application_version: VersionOption = None, style: FormatOption = Format.TEXT
) -> None:
    """List the documents of a version."""
    with open_client() as client:
        documents = client.versions.documents(application_id, application_version).list()
    if style is Format.JSON:
        print_json([document.model_dump(mode="json") for document in documents])
    elif not documents:
        say("This version has no documents.")
    else:
        rows = [(each.name, each.mime_type, f"{each.updated_at.astimezone():%Y-%m-%d}") for each in documents]
        print_table(("DOCUMENT", "MEDIA TYPE", "UPDATED"), rows)


@document_app.command()
def describe(
    application_id: ApplicationArgument,
    document_name: DocumentArgument,
    application_version: VersionOption = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Show what a document is."""
    with open_client() as client:
        document = client.versions.documents(application_id, application_version).details(document_name)
    if style is Format.JSON:
        print_json(document.model_dump(mode="json"))
        return
    say(f"name        {document.name}")
    say(f"media type  {document.mime_type}")
    say(f"visibility  {document.visibility}")
    say(f"created     {document.created_at:%Y-%m-%d %H:%M:%S %Z}")
    say(f"updated     {document.updated_at:%Y-%m-%d %H:%M:%S %Z}")


@document_app.command()
def download(
    application_id: ApplicationArgument,
    document_name: DocumentArgument,
    application_version: VersionOption = None,
    output: Annotated[Path, typer.Option(help="Folder, or file, to write it to.")] = Path(),
) -> None:
    """Write a document to a file."""
    with open_client() as client:
        documents = client.versions.documents(application_id, application_version)
        path = documents.download_to_path(document_name, output)
    say(f"Downloaded '{document_name}' to {path}.")
