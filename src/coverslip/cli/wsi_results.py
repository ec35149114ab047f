"""`coverslip wsi overlay` and `coverslip wsi export`: downloaded results as pictures, and for other tools."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coverslip.applications.overlay_layer import Layer
from coverslip.cli.extras import packages_of
from coverslip.cli.output import Format, FormatOption, note, print_json, say
from coverslip.cli.writing import writing

ResultsArgument = Annotated[Path, typer.Argument(help="The folder with the downloaded result files of the slide.")]


class Target(StrEnum):
    """What `export` writes."""

    DICOM = "dicom"
    ANNDATA = "anndata"
    SPATIALDATA = "spatialdata"
    OME_TIFF = "ome-tiff"


def overlay(
    slide: Annotated[Path, typer.Argument(help="The slide file, or the folder of a DICOM series.")],
    results: ResultsArgument,
    out: Annotated[Path, typer.Argument(help="The picture to write, ending in .png.")],
    region: Annotated[
        str | None, typer.Option(help="The part to show as x,y,width,height in level-0 pixels; otherwise the whole.")
    ] = None,
    layer: Annotated[
        list[Layer] | None, typer.Option(help="What to draw; repeat it for more. Otherwise tissue and cells.")
    ] = None,
    max_size: Annotated[int, typer.Option(min=64, max=20_000, help="Longer side of the picture in pixels.")] = 2048,
    style: FormatOption = Format.TEXT,
) -> None:
    """Draw results over their slide: outlines in the colours of the classes, with a legend."""
    with packages_of("server"):
        from PIL import Image

        from coverslip.applications.overlay import draw_overlay
        from coverslip.applications.result_files import Window
        from coverslip.slides import open_slide

    window = None if region is None else Window(*_four_numbers(region))
    layers = layer or [Layer.TISSUE, Layer.CELLS]
    with open_slide(slide) as opened:
        picture = draw_overlay(opened, slide.name, results, layers, window, max_size)
    with writing(out):
        Image.fromarray(picture).save(out, "PNG")
    height_px, width_px = picture.shape[:2]
    if style is Format.JSON:
        print_json({"file": str(out), "width_px": width_px, "height_px": height_px, "layers": layers})
        return
    say(f"{out}: {width_px} × {height_px} px, {', '.join(layers)}")


def export(
    results: ResultsArgument,
    out: Annotated[
        Path,
        typer.Argument(help="What to write: a folder for dicom, a new .zarr folder for spatialdata, else a file."),
    ],
    to: Annotated[Target, typer.Option(help="The format to write.")],
    slide: Annotated[
        Path | None, typer.Option(help="The slide, which dicom and ome-tiff need: a file, or a folder of DICOM.")
    ] = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Write results as DICOM annotations and segmentation, AnnData, SpatialData or an OME-TIFF label map."""
    with writing(out):
        files, remark = _export(results, out, to, slide)
    if remark:
        note(remark)
    if style is Format.JSON:
        print_json({"files": [str(file) for file in files]})
        return
    for file in files:
        say(file)


def _export(results: Path, out: Path, to: Target, slide: Path | None) -> tuple[list[Path], str]:
    """The files written, and what a person should know about them."""
    if to is Target.DICOM:
        with packages_of("dicom"):
            from coverslip.integrations.dicom.export import export_dicom

        done = export_dicom(_needed(slide, to), results, out)
        remark = "The slide is no DICOM, so they refer to identifiers made from its name, size and checksum."
        return list(done.files), remark if done.is_made_up else ""
    if to is Target.OME_TIFF:
        with packages_of("server"):
            from coverslip.integrations.ome_tiff import export_ome_tiff
            from coverslip.slides import open_slide

        path = _needed(slide, to)
        with open_slide(path) as opened:
            export_ome_tiff(opened.info, path.name, results, out)
        return [out], ""
    with packages_of("spatial"):
        from coverslip.integrations.spatial.export import export_anndata, export_spatialdata

    if to is Target.ANNDATA:
        export_anndata(results, out)
    elif out.exists():
        from coverslip.platform.errors import FolderUnusable

        raise FolderUnusable(path=out, reason="it exists already")
    else:
        export_spatialdata(results, out)
    return [out], ""


def _needed(slide: Path | None, to: Target) -> Path:
    if slide is None:
        raise typer.BadParameter(f"{to} needs the slide that the results were made from", param_hint="--slide")
    return slide


def _four_numbers(region: str) -> tuple[int, int, int, int]:
    try:
        x_px, y_px, width_px, height_px = (int(number) for number in region.split(","))
    except ValueError as error:
        hint = f"{region} is not x,y,width,height in whole pixels, such as 1000,2000,800,600"
        raise typer.BadParameter(hint, param_hint="--region") from error
    return x_px, y_px, width_px, height_px
