"""What the demo found on its slide, as a table."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

_UM2_PER_MM2 = 1e6


def print_summary(console: Console, run_folder: Path) -> None:
    """Print areas and shares of each class, then each file with its size, for every slide of a run."""
    for slide_folder in sorted(path for path in run_folder.iterdir() if path.is_dir()):
        console.print(_classes(slide_folder))
        console.print(_files(slide_folder))


def _classes(slide_folder: Path) -> Table:
    table = Table(title=f"Tissue of {slide_folder.name}", title_justify="left")
    table.add_column("Class")
    table.add_column("Area (mm²)", justify="right")
    table.add_column("Share (%)", justify="right")
    table.add_column("Regions", justify="right")
    for title, stem in (("Tissue QC", "tissue_qc"), ("Tissue segmentation", "tissue_segmentation")):
        table.add_row(f"[bold]{title}[/]")
        for row in _rows(slide_folder / f"{stem}_csv_class_information.csv"):
            area_mm2 = float(row["area_um2"]) / _UM2_PER_MM2
            table.add_row(f"  {row['class']}", f"{area_mm2:.3f}", _share(row["area_percent"]), row["region_count"])
        table.add_section()
    return table


def _share(percent: str) -> str:
    return f"{float(percent):.1f}" if percent != "N/A" else "-"


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _files(slide_folder: Path) -> Table:
    table = Table(title="Files", title_justify="left")
    table.add_column("File", overflow="fold")
    table.add_column("Size (kB)", justify="right")
    table.add_column("Holds")
    for file in sorted(slide_folder.iterdir()):
        table.add_row(file.name, f"{file.stat().st_size / 1000:.1f}", _holds(file))
    return table


def _holds(file: Path) -> str:
    if file.suffix == ".json":
        return f"{len(json.loads(file.read_bytes())['features'])} polygons, for QuPath"
    if file.suffix == ".csv":
        return "area of each class, for a spreadsheet"
    return "map of the classes, for any slide viewer"
