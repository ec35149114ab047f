"""`coverslip application run`: find runs, look at them, cancel them."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coverslip.cli import run_metadata, run_results, run_steps, run_support
from coverslip.cli.failures import RunDetailsRefused
from coverslip.cli.item_table import deletion_of, print_items, remarks_on
from coverslip.cli.output import Format, FormatOption, print_json, print_table, say
from coverslip.cli.run_attempts import print_attempts
from coverslip.cli.run_options import RunArgument, ShareTokenOption, TagsOption, split_tags
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.contract.items import ItemResultReadResponse
    from coverslip.contract.runs import RunReadResponse
    from coverslip.platform.client import Client
    from coverslip.platform.runs import Run

app = typer.Typer(help="Submit runs, follow them, take their results.", no_args_is_help=True)
app.add_typer(run_steps.app)
app.add_typer(run_metadata.app)
app.add_typer(run_support.app)
app.add_typer(run_results.app, name="result")


@app.command("list")
def list_runs(
    verbose: Annotated[bool, typer.Option(help="Show the note and tags of each run too.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Show at most this many.")] = None,
    tags: TagsOption = None,
    note_regex: Annotated[str | None, typer.Option(help="Only runs whose note matches.")] = None,
    query: Annotated[str | None, typer.Option(help="Only runs whose note or a tag matches.")] = None,
    note_case_insensitive: Annotated[bool, typer.Option(help="Disregard case in notes.")] = True,
    for_organization: Annotated[str | None, typer.Option(help="All runs of an organization, for its admins.")] = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """List your runs, newest first."""
    filters = _filters(split_tags(tags), note_regex, query, note_case_insensitive)
    with open_client() as client:
        runs = list(islice(_find(client, filters, split_tags(tags), for_organization), limit))
    if style is Format.JSON:
        print_json([run.model_dump(mode="json") for run in runs])
        return
    if not runs:
        say("No run matches." if filters else "You did not yet create a run.")
        return
    columns = ["RUN", "APPLICATION", "STATE", "DONE", "SUBMITTED", *(["TAGS", "NOTE"] if verbose else [])]
    print_table(columns, [_row(run, verbose) for run in runs], unbroken="RUN")


@app.command()
def describe(
    run_id: RunArgument,
    summarize: Annotated[bool, typer.Option("--summarize", "-s", help="Leave out the slides.")] = False,
    item: Annotated[str | None, typer.Option(help="External id of a slide: show only this one.")] = None,
    attempts: Annotated[
        bool, typer.Option("--attempts", help="What workers did with the slide of --item, and why it ended.")
    ] = False,
    share_token: ShareTokenOption = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Show a run and its slides, or one slide and why it ended as it did."""
    from coverslip.contract.items import ItemTerminationReason
    from coverslip.platform.errors import InvalidRequest

    if attempts and item is None:
        raise typer.BadParameter("needs --item: attempts are shown of one slide", param_hint="--attempts")
    with open_client() as client:
        run = client.run(run_id, share_token)
        try:
            details = run.details()
        except InvalidRequest as error:
            raise RunDetailsRefused(reason=f"'{run_id}' is no run id") from error
        items = _described_items(run, item, summarize)
        tried = run.attempts(items[0].item_id) if attempts else []
        # Results are deleted of a whole run, so one slide that has any tells it of all.
        succeeded = run.results(termination_reason=ItemTerminationReason.SUCCEEDED)
        deleted = deletion_of(islice(succeeded, 1) if summarize else items)
    if style is Format.JSON:
        shown = [each.model_dump(mode="json") for each in items]
        if attempts:
            shown[0]["attempts"] = [attempt.model_dump(mode="json") for attempt in tried]
        print_json({**details.model_dump(mode="json"), "items": shown})
        return
    say(f"run          {details.run_id}")
    say(f"application  {details.application_id} (version: {details.version_number})")
    say(f"state        {_state(details)}")
    if details.error_code:
        say(f"error        {details.error_code}: {details.error_message}")
    say(f"submitted    {details.submitted_at:%Y-%m-%d %H:%M:%S %Z} by {details.submitted_by}")
    if details.scheduling:
        say(f"due date     {details.scheduling.due_date or '-'}, deadline {details.scheduling.deadline or '-'}")
    if details.num_preceding_items_org is not None:
        say(f"queue        {details.num_preceding_items_org} item(s) of your organization come first")
    if details.terminated_at:
        say(f"ended        {details.terminated_at:%Y-%m-%d %H:%M:%S %Z}")
    say(f"slides       {_counts(details)}")
    if deleted:
        say(f"results      {deleted}; only the record of the run is left")
    if items:
        say()
        print_items(items)
        for remark in remarks_on(items):
            say(remark)
    if attempts:
        print_attempts(tried)


def _described_items(run: "Run", external_id: str | None, summarize: bool) -> list["ItemResultReadResponse"]:
    if external_id is not None:
        return [run.item(external_id)]
    return [] if summarize else list(run.results())


@app.command()
def cancel(run_id: RunArgument) -> None:
    """Cancel a run. What is finished stays downloadable."""
    with open_client() as client:
        client.run(run_id).cancel()
    say(f"Cancelled run '{run_id}'.")


def _filters(tags: frozenset[str], note_regex: str | None, query: str | None, case_insensitive: bool) -> list[str]:
    """jsonpath filters of which a run must match one; the platform evaluates them as PostgreSQL does."""
    if query is not None:
        pattern = json.dumps(query)
        return [f'{path} ? (@ like_regex {pattern} flag "i")' for path in ("$.sdk.note", "$.sdk.tags")]
    if note_regex is not None:
        flag = ' flag "i"' if case_insensitive else ""
        return [f"$.sdk.note ? (@ like_regex {json.dumps(note_regex)}{flag})"]
    if tags:
        return [f"$.sdk.tags[*] ? ({' || '.join(f'@ == {json.dumps(tag)}' for tag in sorted(tags))})"]
    return []


def _find(
    client: "Client", filters: list[str], tags: frozenset[str], for_organization: str | None
) -> Iterator["RunReadResponse"]:

    def newest_first(custom_metadata: str | None) -> Iterator["RunReadResponse"]:
        return client.runs.list_data(
            custom_metadata=custom_metadata, sort="-submitted_at", for_organization=for_organization
        )

    if len(filters) <= 1:
        found = newest_first(filters[0] if filters else None)
    else:
        by_id = {run.run_id: run for text in filters for run in newest_first(text)}
        found = iter(sorted(by_id.values(), key=lambda run: run.submitted_at, reverse=True))
    return (run for run in found if tags <= set(_sdk(run).get("tags") or []))


def _row(run: "RunReadResponse", verbose: bool) -> list[object]:
    sdk = _sdk(run)
    described = [", ".join(sdk.get("tags") or []), sdk.get("note")] if verbose else []
    counts = run.statistics
    ended = counts.item_count - counts.item_pending_count - counts.item_processing_count
    application = f"{run.application_id} {run.version_number}"
    submitted = f"{run.submitted_at.astimezone():%Y-%m-%d %H:%M}"
    return [
        run.run_id,
        application,
        run.termination_reason or run.state,
        f"{ended}/{counts.item_count}",
        submitted,
        *described,
    ]


def _sdk(run: "RunReadResponse") -> dict[str, Any]:
    sdk = (run.custom_metadata or {}).get("sdk")
    return sdk if isinstance(sdk, dict) else {}


def _state(run: "RunReadResponse") -> str:
    return f"{run.state} ({run.termination_reason})" if run.termination_reason else str(run.state)


def _counts(run: "RunReadResponse") -> str:
    counts = run.statistics.model_dump()
    words = (
        f"{counts[f'item_{name}_count']} {name.replace('_', ' ')}"
        for name in ("pending", "processing", "succeeded", "user_error", "system_error", "skipped")
        if counts[f"item_{name}_count"]
    )
    return f"{run.statistics.item_count}: {', '.join(words)}"
