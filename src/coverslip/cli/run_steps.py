"""`coverslip application run prepare, upload, submit, execute`: from slides to results, step by step or at once."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from coverslip.cli.display import display
from coverslip.cli.interrupts import resumable
from coverslip.cli.output import note as note_line
from coverslip.cli.output import say
from coverslip.cli.run_options import (
    ApplicationArgument,
    DeadlineOption,
    DueDateOption,
    ItemFolderOption,
    MappingOption,
    NoteOption,
    PrefixOption,
    ReuseOption,
    RunFolderOption,
    SourceArgument,
    TableArgument,
    TagsOption,
    VersionOption,
    WaitOption,
    run_options,
)
from coverslip.cli.run_results import finish, tell_results
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.platform.client import Client
    from coverslip.workflow.submission import SubmittedRun

app = typer.Typer()


@app.command()
def prepare(
    application_id: ApplicationArgument,
    metadata_csv: TableArgument,
    source_directory: SourceArgument,
    application_version: VersionOption = None,
    mapping: MappingOption = None,
) -> None:
    """Write the metadata table of all slides in a folder; what you entered in it before is kept."""
    # The table is the same for every application; `upload` and `submit` check it against the one that is asked for.
    with resumable("Nothing has been written."):
        _prepare(metadata_csv, source_directory, mapping or [])
    say("Complete the table where a column is empty, then upload and submit it.")


@app.command()
def upload(
    application_id: ApplicationArgument,
    metadata_csv_file: TableArgument,
    application_version: VersionOption = None,
    upload_prefix: PrefixOption = None,
) -> None:
    """Upload the slides of a metadata table, after checking that the application will take them."""
    hint = "What has arrived on the platform stays there; the same command sends the rest."
    with resumable(hint), open_client() as client:
        _upload(client, metadata_csv_file, application_id, application_version, upload_prefix)


@app.command()
def submit(
    application_id: ApplicationArgument,
    metadata_csv_file: TableArgument,
    application_version: VersionOption = None,
    note: NoteOption = None,
    tags: TagsOption = None,
    due_date: DueDateOption = None,
    deadline: DeadlineOption = None,
    reuse_results: ReuseOption = True,
) -> None:
    """Start a run of the slides in a metadata table."""
    from coverslip.workflow.submission import submit_table

    options = run_options(note, tags, due_date, deadline, reuse_results=reuse_results)
    with open_client() as client, resumable("Run the same command again: it makes no second run."):
        _forget_old_run(client, metadata_csv_file, also_if_ended=True)
        _tell_submitted(submit_table(client, metadata_csv_file, application_id, application_version, options))


@app.command()
def execute(
    application_id: ApplicationArgument,
    metadata_csv_file: TableArgument,
    source_directory: SourceArgument,
    application_version: VersionOption = None,
    mapping: MappingOption = None,
    create_subdirectory_for_run: RunFolderOption = True,
    create_subdirectory_per_item: ItemFolderOption = True,
    upload_prefix: PrefixOption = None,
    wait_for_completion: WaitOption = True,
    note: NoteOption = None,
    tags: TagsOption = None,
    due_date: DueDateOption = None,
    deadline: DeadlineOption = None,
    reuse_results: ReuseOption = True,
) -> None:
    """Prepare, upload, submit, and download the results beside the table. After an interruption, run it again."""
    from coverslip.workflow.pending import forget_pending, pending_of
    from coverslip.workflow.results import bring_results
    from coverslip.workflow.submission import submit_table

    options = run_options(note, tags, due_date, deadline, reuse_results=reuse_results)
    table = metadata_csv_file
    again = f"To go on: coverslip {shlex.join(sys.argv[1:])}"
    with resumable(f"What has arrived on the platform stays there. {again}"), open_client() as client:
        _forget_old_run(client, table, also_if_ended=False)
        if pending_of(table, client.api_root, application_id, application_version) is None:
            client.application_version(application_id, application_version)
            _prepare(table, source_directory, mapping or [])
            _upload(client, table, application_id, application_version, upload_prefix)
        else:
            note_line("Going on with the run of this table; its note, tags and dates stay as they are.")
        submitted = submit_table(client, table, application_id, application_version, options)
        _tell_submitted(submitted)
        if not wait_for_completion:
            say(f"Follow it with: coverslip application run result download {submitted.run_id}")
            return
        with resumable(f"The run {submitted.run_id} goes on. {again}"), display() as on_event:
            results = bring_results(
                client,
                client.run(submitted.run_id),
                table.parent,
                on_event,
                create_subdirectory_for_run=create_subdirectory_for_run,
                create_subdirectory_per_item=create_subdirectory_per_item,
            )
    tell_results(results)
    if not results.failures:
        forget_pending(table)
    finish(results)


def _prepare(table: Path, source: Path, mappings: list[str]) -> None:
    from coverslip.workflow.mapping import apply_mappings, parse_mapping
    from coverslip.workflow.prepare import prepare as read_slides
    from coverslip.workflow.table import keep_entered, write_table

    parsed = [parse_mapping(mapping) for mapping in mappings]
    say(f"Reading slides in {source}")
    with display() as on_event:
        prepared = read_slides(source, on_event)
    rows = apply_mappings(keep_entered(table, prepared.rows), parsed)
    write_table(table, rows)
    left_out = f"; {len(prepared.unreadable)} cannot be used" if prepared.unreadable else ""
    say(f"{len(rows)} slide(s) in {table}{left_out}.")
    for row in rows:
        if row.resolution_mpp is None:
            note_line(
                f"{row.external_id} does not say its resolution; fill in resolution_mpp if the application needs it."
            )


def _upload(
    client: "Client", table: Path, application_id: str, application_version: str | None, prefix: str | None
) -> None:
    from coverslip.platform.uploads import DEFAULT_PREFIX
    from coverslip.workflow.submission import check_table
    from coverslip.workflow.table import read_table
    from coverslip.workflow.upload import upload_slides

    check_table(client, table, application_id, application_version)
    rows = read_table(table)
    say(f"Uploading {len(rows)} slide(s) to {client.api_root}")
    with display() as on_event:
        sent = upload_slides(client, table, rows, on_event, prefix=prefix or DEFAULT_PREFIX)
    say(f"{sent} sent, {len(rows) - sent} were there already.")


def _forget_old_run(client: "Client", table: Path, *, also_if_ended: bool) -> None:
    """A table whose run is over, or does not exist any more, may be submitted again."""
    from coverslip.contract.runs import RunState
    from coverslip.platform.errors import NotFound
    from coverslip.workflow.pending import forget_pending, read_pending

    pending = read_pending(table)
    if pending is None or pending.run_id is None or pending.api_root != client.api_root:
        return
    try:
        over = client.run(pending.run_id).details().state is RunState.TERMINATED and also_if_ended
    except NotFound:
        over = True
    if over:
        forget_pending(table)


def _tell_submitted(run: "SubmittedRun") -> None:
    if run.resumed:
        say(f"Going on with run '{run.run_id}' of '{run.application_id} (version: {run.version_number})'.")
    else:
        say(f"Submitted run with id '{run.run_id}' for '{run.application_id} (version: {run.version_number})'.")
