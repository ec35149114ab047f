"""From slide files to the rows of a metadata table."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from coverslip.contract.errors import CoverslipError
from coverslip.workflow.errors import NoUsableSlides, SourceMissing
from coverslip.workflow.events import OnEvent, SlideRead, SlideUnreadable, ignore
from coverslip.workflow.table import SlideRow
from coverslip.workflow.totals import plan_of

PHANTOM_TRUTH = ".truth."
SLIDE_SUFFIXES = (".svs", ".tif", ".tiff", ".dcm", ".ndpi", ".scn", ".bif", ".svslide", ".mrxs", ".vms", ".vmu", ".zip")
SEVERAL_FILES_SUFFIXES = (".mrxs", ".vms", ".vmu")
"""Formats whose pixels lie in other files than the one that is opened; one file of them is no slide."""

RUN_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Results are downloaded to folders named by their run; the images in them are no slides."""


@dataclass(frozen=True)
class Prepared:
    """The rows of the slides that can be used, and those that cannot with the reason."""

    rows: list[SlideRow]
    unreadable: list[SlideUnreadable]


def prepare(source: Path, on_event: OnEvent = ignore) -> Prepared:
    """Read every slide in a folder and below it, or the one file `source`.

    Raises
    ------
    SourceMissing
    NoUsableSlides
        If none is left; the reasons went to `on_event`.
    """
    rows: list[SlideRow] = []
    unreadable: list[SlideUnreadable] = []
    paths = find_slides(source)
    on_event(plan_of(paths))
    for path in paths:
        try:
            rows.append(read_slide(path, on_event))
        except Exception as error:
            # Decoders of foreign formats fail in many ways, and one slide must not cost the rest.
            reason = str(error) if isinstance(error, CoverslipError) else f"{path.name}: {error!r}"
            unreadable.append(SlideUnreadable(path, reason))
            on_event(unreadable[-1])
    if not rows:
        raise NoUsableSlides(path=source, suffixes=", ".join(SLIDE_SUFFIXES))
    return Prepared(rows, unreadable)


def find_slides(source: Path) -> list[Path]:
    """The slides in a folder and below it, in order of their paths, or the file itself whatever its suffix.

    Hidden files, folders with downloaded results and the truth of phantoms are passed over. A DICOM series is one
    slide: its largest volume.

    Raises
    ------
    SourceMissing
    """
    source = source.expanduser().absolute()
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise SourceMissing(path=source)
    found = []
    for folder, subfolders, names in os.walk(source):
        subfolders[:] = [name for name in subfolders if not name.startswith(".") and not RUN_FOLDER.fullmatch(name)]
        found += [Path(folder, name) for name in names if _is_slide_name(name)]
    return _one_of_each_series(sorted(found))


def read_slide(path: Path, on_event: OnEvent = ignore) -> SlideRow:
    """Size, resolution and checksum of a slide as a row; its absolute path is the external id.

    Raises
    ------
    CoverslipError
        If it cannot be used.
    """
    # Reading slides needs numpy and decoders; whoever only looks at runs should not wait for them.
    from coverslip.slides import open_slide
    from coverslip.slides.crc32c import crc32c_file
    from coverslip.slides.errors import NotASlide

    if not str(path).isprintable():
        raise NotASlide(name=path.name, reason="its path has control characters in it; rename it")
    if path.suffix.lower() in SEVERAL_FILES_SUFFIXES:
        reason = (
            f"a slide in {path.suffix.lower()} format is spread over several files; convert it to one, such as TIFF"
        )
        raise NotASlide(name=path.name, reason=reason)
    with open_slide(path, series=False) as slide:  # this file alone is uploaded
        info = slide.info
    total_bytes, done_bytes = path.stat().st_size, 0

    def count(read_bytes: int) -> None:
        nonlocal done_bytes
        done_bytes += read_bytes
        on_event(SlideRead(path, done_bytes, total_bytes))

    return SlideRow(str(path), crc32c_file(path, count), info.mpp, info.width_px, info.height_px)


def _one_of_each_series(paths: list[Path]) -> list[Path]:
    files = [path for path in paths if path.suffix.lower() == ".dcm"]
    if len(files) < 2:
        return paths
    from coverslip.slides.dicom_instances import one_file_each

    standing = set(one_file_each(files))
    return [path for path in paths if path.suffix.lower() != ".dcm" or path in standing]


def _is_slide_name(name: str) -> bool:
    # The label maps beside a phantom are images too, and no slides.
    is_truth = PHANTOM_TRUTH in name
    return not name.startswith(".") and not is_truth and name.lower().endswith(SLIDE_SUFFIXES)
