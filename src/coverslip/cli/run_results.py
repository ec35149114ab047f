"""`coverslip application run result`: bring the results of a run, or delete them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coverslip.cli.display import display
from coverslip.cli.failures import FAILED, USER_ERROR
from coverslip.cli.interrupts import resumable
from coverslip.cli.item_table import deletion_of, print_items, remarks_on
from coverslip.cli.output import Format, FormatOption, note, print_json, say
from coverslip.cli.run_options import ItemFolderOption, RunArgument, RunFolderOption, ShareTokenOption, WaitOption
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.workflow.results import RunResults

app = typer.Typer(help="Download or delete the results of a run.", no_args_is_help=True)


@app.command()
def download(
    run_id: RunArgument,
    destination_directory: Annotated[Path | None, typer.Argument(help="Where to put them.")] = None,
    create_subdirectory_for_run: RunFolderOption = True,
    create_subdirectory_per_item: ItemFolderOption = True,
    wait_for_completion: WaitOption = True,
    share_token: ShareTokenOption = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Download the results of a run, each as soon as it is there. What is there already is left alone."""
    from coverslip.platform.settings import load_settings
    from coverslip.workflow.results import bring_results

    destination = destination_directory or load_settings().results_folder
    hint = f"To go on: coverslip application run result download {run_id} {destination}"
    with open_client() as client, resumable(hint), display() as on_event:
        results = bring_results(
            client,
            client.run(run_id, share_token),
            destination,
            on_event,
            wait_for_completion=wait_for_completion,
            create_subdirectory_for_run=create_subdirectory_for_run,
            create_subdirectory_per_item=create_subdirectory_per_item,
        )
    if style is Format.JSON:
        print_json(_document(results))
    else:
        tell_results(results)
    finish(results)


@app.command()
def delete(run_id: RunArgument) -> None:
    """Delete the results of an ended run from the platform; its records stay."""
    with open_client() as client:
        client.run(run_id).delete()
    say(f"Deleted the results of run '{run_id}'.")


def tell_results(results: "RunResults") -> None:
    """A table of the slides, what failed and why, and where the files are."""
    say()
    print_items(results.items.values())
    say()
    for remark in remarks_on(results.items.values()):
        note(remark)
    for failure in results.failures:
        note(f"not downloaded: {failure.name}\n  {failure.reason}")
    run = results.run
    if run is not None:
        reason = f", {run.termination_reason.lower()}" if run.termination_reason else ""
        say(f"Run '{run.run_id}' status: {run.state.lower()}{reason}")
        if run.error_code:
            note(f"{run.error_code}: {run.error_message}")
    if deleted := deletion_of(results.items.values()):
        note(f"The results of {results.deleted} slide(s) cannot be downloaded: they have been {deleted}.")
        note("They do not come back; submit the slides again if you need them.")
    if results.files:
        say(f"{len(results.files)} file(s) in {results.folder}")


def finish(results: "RunResults") -> None:
    """End with 1 if the platform failed anywhere, with 2 if a slide was at fault or its results were deleted."""
    from coverslip.contract.items import ItemTerminationReason
    from coverslip.contract.runs import RunTerminationReason

    stopped = results.run is not None and results.run.termination_reason is RunTerminationReason.CANCELED_BY_SYSTEM
    if results.failures or stopped or results.count(ItemTerminationReason.SYSTEM_ERROR):
        raise typer.Exit(FAILED)
    if results.deleted or results.count(ItemTerminationReason.USER_ERROR):
        raise typer.Exit(USER_ERROR)


def _document(results: "RunResults") -> dict[str, object]:
    return {
        "run": results.run.model_dump(mode="json") if results.run else None,
        "folder": str(results.folder),
        "files": [str(path) for path in results.files],
        "not_downloaded": [{"name": failure.name, "reason": failure.reason} for failure in results.failures],
        "deleted_items": results.deleted,
        "items": [
            item.model_dump(
                mode="json", include={"external_id", "state", "termination_reason", "error_code", "error_message"}
            )
            for item in results.items.values()
        ],
    }
