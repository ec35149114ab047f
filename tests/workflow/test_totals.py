"""Many files together: counts, bytes, rate, time left."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coverslip.workflow.events import (
    Event,
    FilesPlanned,
    SlideRead,
    SlideUnreadable,
    TransferAdvanced,
    TransferDone,
    TransferFailed,
)
from coverslip.workflow.totals import RATE_WINDOW_S, Totals, plan_of

MB = 1_000_000


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_files_and_bytes_add_up_whatever_becomes_of_each() -> None:
    totals = Totals()
    events: list[tuple[Event, bool]] = [
        (FilesPlanned(5, 10 * MB), False),
        (TransferAdvanced("sent", MB, 2 * MB), False),
        (TransferDone("sent", was_there=False, size_bytes=2 * MB), True),
        (TransferDone("there", was_there=True, size_bytes=3 * MB), True),
        (TransferFailed("failed", "no luck"), True),
        (SlideUnreadable(Path("unreadable"), "no slide"), True),
        (SlideRead(Path("read"), MB, 2 * MB), False),
        (SlideRead(Path("read"), 2 * MB, 2 * MB), True),
    ]
    assert [totals.add(event) for event, _ in events] == [ended for _, ended in events]
    assert (totals.ended_files, totals.files) == (5, 5)
    assert (totals.done_bytes, totals.total_bytes) == (7 * MB, 10 * MB)


def test_the_rate_counts_what_moves_and_not_what_was_there() -> None:
    clock = Clock()
    totals = Totals(clock)
    totals.add(FilesPlanned(2, 102 * MB))
    totals.add(TransferDone("there", was_there=True, size_bytes=2 * MB))
    totals.add(TransferAdvanced("resumed", 60 * MB, 100 * MB))
    assert totals.bytes_per_s < 5 * MB
    for step in range(1, 21):
        clock.now_s += 1
        totals.add(TransferAdvanced("resumed", (60 + step) * MB, 100 * MB))
    assert totals.bytes_per_s == MB
    assert totals.left_s == 20
    clock.now_s += 3 * RATE_WINDOW_S
    assert totals.bytes_per_s < MB, "what stands still gets slower"


def test_a_file_that_begins_anew_is_not_counted_twice() -> None:
    totals = Totals()
    for done in (5, 9, 0, 4, 9):
        totals.add(TransferAdvanced("damaged", done * MB, 9 * MB))
    totals.add(TransferDone("damaged", was_there=False, size_bytes=9 * MB))
    assert (totals.done_bytes, totals.ended_files) == (9 * MB, 1)


def test_unknown_sizes_are_taken_from_the_known_ones() -> None:
    totals = Totals()
    totals.add(FilesPlanned(4))
    assert (totals.total_bytes, totals.left_s) == (None, None)
    totals.add(TransferAdvanced("one", 0, 2 * MB))
    totals.add(TransferAdvanced("two", 0, 4 * MB))
    assert totals.total_bytes == 12 * MB
    totals.add(FilesPlanned(4, awaited=2))
    assert totals.total_bytes is None, "nobody knows how long a run takes"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_when_all_is_done_nothing_is_left(sizes: list[int]) -> None:
    clock = Clock()
    totals = Totals(clock)
    totals.add(FilesPlanned(len(sizes)))
    for number, size in enumerate(sizes):
        for done in range(size + 1):
            clock.now_s += 0.1
            totals.add(TransferAdvanced(str(number), done, size))
        totals.add(TransferDone(str(number), was_there=False, size_bytes=size))
    assert totals.ended_files == totals.files == len(sizes)
    assert totals.done_bytes == totals.total_bytes == sum(sizes)
    assert not totals.left_s


def test_what_cannot_be_looked_at_is_planned_without_a_size(tmp_path: Path) -> None:
    (tmp_path / "slide.svs").write_bytes(b"12345")
    (tmp_path / "broken.svs").symlink_to(tmp_path / "nowhere")
    assert plan_of([tmp_path / "slide.svs", tmp_path / "broken.svs"]) == FilesPlanned(2, 5)
