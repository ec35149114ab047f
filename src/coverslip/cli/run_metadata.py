"""`coverslip application run dump-metadata, update-metadata` and the same for items: the free JSON beside them."""

import json
from typing import Annotated, Any

import typer

from coverslip.cli.output import say
from coverslip.cli.run_options import RunArgument, ShareTokenOption
from coverslip.cli.session import open_client

app = typer.Typer()

PrettyOption = Annotated[bool, typer.Option(help="Indent it.")]
ShowChecksumOption = Annotated[bool, typer.Option("--show-checksum", help="Add its checksum, for an update.")]
ChecksumOption = Annotated[str | None, typer.Option(help="Refuse (exit code 3) if it changed since it had this.")]
MetadataArgument = Annotated[str, typer.Argument(help="The new metadata, a JSON object.")]


@app.command("dump-metadata")
def dump_metadata(
    run_id: RunArgument,
    pretty: PrettyOption = False,
    show_checksum: ShowChecksumOption = False,
    share_token: ShareTokenOption = None,
) -> None:
    """Print the custom metadata of a run as JSON."""
    with open_client() as client:
        details = client.run(run_id, share_token).details()
    _print_metadata(details.custom_metadata, details.custom_metadata_checksum, pretty, show_checksum)


@app.command("update-metadata")
def update_metadata(
    run_id: RunArgument,
    metadata_json: MetadataArgument,
    checksum: ChecksumOption = None,
    enrich_sdk_metadata: Annotated[bool, typer.Option(help="Note in it that it changed now.")] = True,
) -> None:
    """Replace the custom metadata of a run."""
    metadata = _json_object(metadata_json)
    with open_client() as client:
        client.run(run_id).update_custom_metadata(
            metadata, custom_metadata_checksum=checksum, enrich_sdk_metadata=enrich_sdk_metadata
        )
    say(f"Updated the metadata of run '{run_id}'.")


@app.command("dump-item-metadata")
def dump_item_metadata(
    run_id: RunArgument,
    external_id: str,
    pretty: PrettyOption = False,
    show_checksum: ShowChecksumOption = False,
    share_token: ShareTokenOption = None,
) -> None:
    """Print the custom metadata of a slide of a run as JSON."""
    with open_client() as client:
        item = client.run(run_id, share_token).item(external_id)
    _print_metadata(item.custom_metadata, item.custom_metadata_checksum, pretty, show_checksum)


@app.command("update-item-metadata")
def update_item_metadata(
    run_id: RunArgument,
    external_id: str,
    metadata_json: MetadataArgument,
    checksum: ChecksumOption = None,
) -> None:
    """Replace the custom metadata of a slide of a run."""
    metadata = _json_object(metadata_json)
    with open_client() as client:
        client.run(run_id).update_item_custom_metadata(external_id, metadata, custom_metadata_checksum=checksum)
    say(f"Updated the metadata of '{external_id}'.")


def _print_metadata(metadata: Any, checksum: str | None, pretty: bool, show_checksum: bool) -> None:
    document = {"custom_metadata": metadata, "checksum": checksum} if show_checksum else metadata
    typer.echo(json.dumps(document, indent=2 if pretty else None, ensure_ascii=False))


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"this is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise typer.BadParameter("this is not a JSON object")
    return value
