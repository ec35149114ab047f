"""`coverslip wsi`: look at slide files, and make them."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli import wsi_analysis, wsi_results
from coverslip.cli.output import Format, FormatOption, note, print_json, say
from coverslip.slides.phantom.options import PenColor

app = typer.Typer(help="Look at whole slide images on this machine, and make phantoms.", no_args_is_help=True)
app.command()(wsi_results.overlay)
app.command()(wsi_results.export)
app.command()(wsi_analysis.nuclei)
app.command()(wsi_analysis.cells)
app.command()(wsi_analysis.qc)


@app.callback()
def group() -> None:
    """Look at whole slide images on this machine, and make phantoms."""


class Resolution(StrEnum):
    """Micrometres per pixel of a phantom."""

    FINE = "0.25"
    USUAL = "0.5"


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="The slide file, or the folder of a DICOM series.")],
    style: FormatOption = Format.TEXT,
) -> None:
    """Show what a slide says about itself, and its checksum."""
    from coverslip.slides import inspect as inspect_slide

    found = inspect_slide(path)
    info = found.info
    if style is Format.JSON:
        print_json({**asdict(found), "info": {**asdict(info), "mpp": info.mpp}})
        return
    say(f"{found.name}: {info.vendor}, {info.media_type}, {found.size_bytes:,} bytes")
    say(f"size        {info.width_px} × {info.height_px} px")
    say(f"resolution  {f'{info.mpp:.4f} µm/px' if info.mpp else 'not said'}")
    say(f"stated by   {', '.join(f'{source} {mpp:.4f}' for source, mpp in info.mpp_sources.items()) or 'nothing'}")
    say(f"objective   {f'{info.objective_power:g}×' if info.objective_power else 'not said'}")
    say(f"levels      {', '.join(f'{level.width_px} × {level.height_px}' for level in info.levels)}")
    say(f"images      {', '.join(info.associated_images) or 'none'}")
    say(f"CRC-32C     {found.checksum_base64_crc32c}")
    say(f"read with   {info.reader}")
    for warning in info.warnings:
        say(f"warning     {warning}")


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="The slide to write, ending in .tif or .tiff; its truth goes beside it.")],
    width_px: Annotated[int, typer.Option(help="Width, 512 to 100000.")] = 8192,
    height_px: Annotated[int, typer.Option(help="Height, 512 to 100000.")] = 8192,
    mpp: Annotated[Resolution, typer.Option(help="Micrometres per pixel.")] = Resolution.USUAL,
    seed: Annotated[int, typer.Option(help="The same seed gives the same slide.")] = 1,
    pen_mark: Annotated[bool, typer.Option(help="A pen stroke.")] = True,
    pen_color: Annotated[PenColor | None, typer.Option(help="Its colour; otherwise the seed chooses.")] = None,
    blur_patch: Annotated[bool, typer.Option(help="A patch out of focus.")] = True,
    fold: Annotated[bool, typer.Option(help="A fold of the tissue.")] = True,
    bubble: Annotated[bool, typer.Option("--bubble/--no-bubble", help="An air bubble and a coverslip's edge.")] = True,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; otherwise one per core.")] = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Draw a slide that looks like H&E, of any size, with the truth about its regions and nuclei."""
    from coverslip.slides.phantom import PhantomOptions, write_phantom

    options = PhantomOptions(width_px, height_px, float(mpp.value), seed, pen_mark, blur_patch, fold, bubble, pen_color)
    note(f"Drawing {width_px:,} × {height_px:,} px; large ones take minutes")
    truth = write_phantom(out, options, jobs)
    if style is Format.JSON:
        print_json(
            {name: value if isinstance(value, int | dict) else str(value) for name, value in asdict(truth).items()}
        )
        return
    say(f"{truth.slide}: {width_px} × {height_px} px, {mpp.value} µm/px, seed {seed}")
    say(f"regions     {truth.regions}")
    say(f"nuclei      {truth.nuclei} ({sum(truth.nucleus_count.values()):,})")
    say(f"tissue QC   {truth.tissue_qc}")
    say(f"tissue      {truth.tissue}")
