"""Arguments and options that several commands on runs share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from coverslip.workflow.submission import RunOptions

ApplicationArgument = Annotated[str, typer.Argument(help="Id of the application, such as he-tme.")]
TableArgument = Annotated[Path, typer.Argument(help="The metadata table, a CSV file.")]
SourceArgument = Annotated[Path, typer.Argument(help="Folder with slides, or one slide.")]
RunArgument = Annotated[str, typer.Argument(help="Id of the run.")]
VersionOption = Annotated[str | None, typer.Option(help="Version of the application; the latest when absent.")]
MappingOption = Annotated[
    list[str] | None,
    typer.Option(help="Fill in columns: '<regex on the path>:<column>=<value>,<column>=<value>'. May be repeated."),
]
NoteOption = Annotated[str | None, typer.Option(help="A note kept with the run.")]
TagsOption = Annotated[str | None, typer.Option(help="Tags kept with the run, separated by commas.")]
DueDateOption = Annotated[str | None, typer.Option(help="When you would like it done, as 2027-03-04T18:00:00+01:00.")]
DeadlineOption = Annotated[str | None, typer.Option(help="When it is of no use any more; the run is cancelled then.")]
PrefixOption = Annotated[str | None, typer.Option(help="Folder in your bucket for the slides.")]
ReuseOption = Annotated[
    bool, typer.Option(help="Slides that were processed before, by the same version, get the results of then.")
]
WaitOption = Annotated[bool, typer.Option(help="Wait for the end of the run and download as results appear.")]
RunFolderOption = Annotated[bool, typer.Option(help="Put the results into a folder named by the run.")]
ItemFolderOption = Annotated[bool, typer.Option(help="Put the results of each slide into a folder of its own.")]

ShareTokenOption = Annotated[str | None, typer.Option(help="Secret of a share token, to see a run of others.")]


def run_options(
    note: str | None, tags: str | None, due_date: str | None, deadline: str | None, *, reuse_results: bool
) -> "RunOptions":
    """The options as the workflow takes them.

    Raises
    ------
    BadSchedule
    """
    from coverslip.platform.sdk_metadata import Interface
    from coverslip.workflow.submission import RunOptions, parse_schedule

    return RunOptions(
        note=note,
        tags=split_tags(tags),
        scheduling=parse_schedule(due_date, deadline),
        reuse_results=reuse_results,
        interface=Interface.CLI,
    )


def split_tags(tags: str | None) -> frozenset[str]:
    """``a, b`` as a set."""
    return frozenset(tag.strip() for tag in (tags or "").split(",") if tag.strip())
