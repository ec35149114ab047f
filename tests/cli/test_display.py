"""What a terminal shows while files travel."""

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TextColumn

from coverslip.cli.display import _Bars
from coverslip.contract.runs import RunReadResponse
from coverslip.workflow.events import FilesPlanned, RunChanged, SlideRead, TransferAdvanced, TransferDone

MB = 1_000_000


def shown(bars: Progress) -> list[str]:
    """The lines that are visible, from above."""
    return [task.description for task in bars.tasks if task.visible]


def test_the_totals_stand_above_the_files_that_move() -> None:
    with Progress(TextColumn("{task.description}"), console=Console(file=io.StringIO())) as progress:
        bars = _Bars(progress)
        assert shown(progress) == []
        bars.show(TransferAdvanced("/data/one.svs", MB, 2 * MB))
        assert shown(progress) == ["one.svs"], "nobody has said how many there are"
        bars.show(FilesPlanned(3, 6 * MB))
        bars.show(TransferDone("/data/one.svs", was_there=False, size_bytes=2 * MB))
        bars.show(TransferAdvanced("/data/two.svs", 0, 2 * MB))
        total, two = shown(progress)
        assert total.startswith("1 of 3 files, 2.0 MB of 6.0 MB, ")
        assert total.endswith(" left")
        assert two == "two.svs"


def test_the_files_of_a_run_that_goes_on_are_counted() -> None:
    statistics = {f"item_{name}_count": 0 for name in ("user_error", "system_error", "skipped", "processing")}
    run = RunReadResponse.model_validate(
        {
            "run_id": "00000000-0000-0000-0000-000000000001",
            "application_id": "test-app",
            "version_number": "1.0.0",
            "state": "PROCESSING",
            "output": "PARTIAL",
            "termination_reason": None,
            "error_code": None,
            "error_message": None,
            "custom_metadata": None,
            "submitted_at": datetime.now(UTC),
            "submitted_by": "user",
            "statistics": statistics | {"item_count": 2, "item_pending_count": 1, "item_succeeded_count": 1},
        }
    )
    with Progress(TextColumn("{task.description}"), console=Console(file=io.StringIO())) as progress:
        bars = _Bars(progress)
        bars.show(FilesPlanned(12, awaited=6))
        bars.show(TransferDone("one/result.csv", was_there=True, size_bytes=1000))
        bars.show(RunChanged(run))
        assert shown(progress) == ["1 of 2 slides done", "1 of 12 files, 1.0 kB"]


def test_a_slide_that_was_read_leaves_its_line() -> None:
    with Progress(TextColumn("{task.description}"), console=Console(file=io.StringIO())) as progress:
        bars = _Bars(progress)
        bars.show(FilesPlanned(1, 2 * MB))
        bars.show(SlideRead(Path("/data/one.svs"), MB, 2 * MB))
        assert shown(progress)[1:] == ["reading one.svs"]
        bars.show(SlideRead(Path("/data/one.svs"), 2 * MB, 2 * MB))
        assert len(shown(progress)) == 1
