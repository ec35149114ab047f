"""`coverslip wsi`: look at slide files."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli.output import Format, FormatOption, print_json, say

app = typer.Typer(help="Look at whole slide images on this machine.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look at whole slide images on this machine."""


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
