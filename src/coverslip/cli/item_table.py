"""The slides of a run as a table, and what became of their results."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from coverslip.cli.output import print_table

if TYPE_CHECKING:
    from coverslip.contract.items import ItemResultReadResponse

DELETED_BY = {"DELETED_BY_USER": "deleted by a user", "DELETED_BY_SYSTEM": "deleted by the system"}


def print_items(items: Iterable["ItemResultReadResponse"]) -> None:
    """A line for each slide."""
    rows = (
        (
            PurePath(item.external_id).name,
            (item.termination_reason or item.state).lower(),
            results_of(item),
            item.error_code,
        )
        for item in items
    )
    print_table(("SLIDE", "STATE", "RESULTS", "ERROR"), rows)


def remarks_on(items: Iterable["ItemResultReadResponse"]) -> Iterator[str]:
    """Why slides failed, and the ``warnings`` in the metadata of their results, each under the slide's external id."""
    for item in items:
        if item.error_message:
            yield f"{item.external_id}\n  {item.error_code}: {item.error_message}"
        for warning in _warnings_of(item):
            yield f"{item.external_id}\n  warning: {warning}"


def _warnings_of(item: "ItemResultReadResponse") -> list[str]:
    """Each sentence once, however many artifacts have it."""
    stated = ((artifact.metadata or {}).get("warnings") for artifact in item.output_artifacts)
    return list(dict.fromkeys(str(warning) for each in stated if isinstance(each, list) for warning in each))


def results_of(item: "ItemResultReadResponse") -> str:
    """``6 file(s)``, by whom they were deleted, or ``-`` where there are none."""
    if (deleted := deletion_of([item])) is not None:
        return deleted
    available = sum(artifact.output == "AVAILABLE" for artifact in item.output_artifacts)
    return f"{available} file(s)" if item.output == "FULL" and available else "-"


def deletion_of(items: Iterable["ItemResultReadResponse"]) -> str | None:
    """By whom results of these slides were deleted; None if none were."""
    outputs = {artifact.output for item in items for artifact in item.output_artifacts}
    return next((words for output, words in DELETED_BY.items() if output in outputs), None)
