"""`coverslip wsi nuclei`, `cells` and `qc`: analyse a plain image, such as a field of view, on this machine."""

import json
from pathlib import Path
from typing import Annotated

import typer

from coverslip.cli.extras import packages_of
from coverslip.cli.output import note, say
from coverslip.cli.writing import writing

ImagePath = Annotated[Path, typer.Argument(help="An RGB image: PNG, JPEG or TIFF of up to 178 million pixels.")]
Mpp = Annotated[float, typer.Option("--mpp", min=0.05, max=100, help="Micrometres per pixel of the image.")]


def nuclei(
    image: ImagePath,
    mpp: Mpp,
    labels: Annotated[Path, typer.Option(help="Label image to write: .png has 16 bits, .tif 32 bits.")],
    model_id: Annotated[str | None, typer.Option("--model", help="See `coverslip model list`.")] = None,
) -> None:
    """Find the nuclei of an image and write a number for each into the pixels that it covers; 0 is background."""
    with packages_of("server"):
        from coverslip.models.nucleus_models import find_nuclei, open_nucleus_model
        from coverslip.models.settings import load_settings
        from coverslip.slides.plain_images import read_rgb, write_labels

    model = open_nucleus_model(model_id, load_settings())
    found = find_nuclei(read_rgb(image), mpp, model)
    with writing(labels):
        write_labels(labels, found)
    say(f"{labels}: {int(found.max(initial=0)):,} nuclei, found by {model.id}")


def cells(
    image: ImagePath,
    mpp: Mpp,
    labels: Annotated[Path, typer.Option(help="Label image of its nuclei, PNG or TIFF.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Name the class of each given nucleus: {"label": "class"}."""
    with packages_of("server"):
        from coverslip.models.cell_model import classify_nuclei, open_cell_model
        from coverslip.models.settings import load_settings
        from coverslip.pathology.classes import CELL
        from coverslip.slides.plain_images import read_labels, read_rgb

    rgb, nuclei_labels = read_rgb(image), read_labels(labels)
    found, classes, _ = classify_nuclei(rgb, nuclei_labels, mpp, open_cell_model(load_settings()))
    names = list(CELL)
    named = {str(label): names[number - 1] for label, number in zip(found.tolist(), classes.tolist(), strict=True)}
    with writing(out):
        out.write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")
    for name in names:
        say(f"{name:<18} {sum(given == name for given in named.values()):,}")
    note(f"Written to {out}")


def qc(
    image: ImagePath,
    mpp: Mpp,
    mask: Annotated[Path, typer.Option(help="PNG to write, with the number of its class in each pixel.")],
) -> None:
    """Judge the tissue of an image: valid, out of focus, pen, artifact, or none."""
    with packages_of("server"):
        import numpy as np

        from coverslip.pathology.classes import TISSUE_QC
        from coverslip.pathology.image_quality import judge_image
        from coverslip.slides.plain_images import read_rgb, write_mask

    classes = judge_image(read_rgb(image), mpp)
    with writing(mask):
        write_mask(mask, classes)
    counts = np.bincount(classes.ravel(), minlength=len(TISSUE_QC) + 1)
    for number, name in enumerate(TISSUE_QC, 1):
        say(f"{number} {name:<16} {counts[number] / classes.size:7.2%}")
    note(f"Written to {mask}")
