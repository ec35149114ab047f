"""`coverslip model train-tissue`: a classifier of tissue from regions that you painted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coverslip.cli.extras import packages_of
from coverslip.cli.output import Format, FormatOption, note, print_json, print_table, say

if TYPE_CHECKING:
    from coverslip.models.tissue_training.training import TrainedModel


def train_tissue(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="SLIDE ANNOTATIONS...", help="A slide and the GeoJSON painted on it, and more such pairs."
        ),
    ],
    model_id: Annotated[str, typer.Option("--id", help="Name of the model: a-z, 0-9, dots, dashes, underscores.")],
    version: Annotated[str, typer.Option("--version", help="Version that its card states.")] = "1.0.0",
    licence: Annotated[str, typer.Option("--licence", help="Licence that its card states.")] = "for this site only",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the model; else that of your own models.")
    ] = None,
    mpp: Annotated[
        float | None, typer.Option("--mpp", help="Micrometres per pixel of slides that do not say theirs.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model with the same id.")] = False,
    style: FormatOption = Format.TEXT,
) -> None:
    """Train a model on regions painted in QuPath, try it on those held out, and add it to your models."""
    with packages_of("server"):
        from pydantic import ValidationError

        from coverslip.models.settings import load_settings
        from coverslip.models.tissue_training.samples import PaintedSlide
        from coverslip.models.tissue_training.training import draft_card, train_tissue_model

    if len(files) % 2:
        raise typer.BadParameter("give each slide with its annotations: SLIDE ANNOTATIONS.geojson …")
    painted = [PaintedSlide(*pair) for pair in zip(files[::2], files[1::2], strict=True)]
    try:
        draft = draft_card(model_id, version, licence)
    except ValidationError as error:
        faults = "; ".join(f"--{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise typer.BadParameter(faults) from None
    settings = load_settings()
    if out is not None:
        settings = settings.model_copy(update={"models": out})
    trained = train_tissue_model(painted, draft, settings, note, mpp=mpp, replace=replace)
    if style is Format.JSON:
        print_json({**trained.model.card.model_dump(mode="json"), "path": str(trained.model.path)})
        return
    _print(trained)


def _print(trained: "TrainedModel") -> None:
    card, quality = trained.model.card, trained.quality
    rows = (
        (each.name, each.places, f"{each.cells:,}", _share(each.recall), _share(each.precision))
        for each in quality.classes
    )
    print_table(("CLASS", "PLACES", "CELLS", "RECALL", "PRECISION"), rows)
    say(f"Recall and precision are of cells on {quality.held_out} that were held out.")
    if quality.too_few:
        few = ", ".join(quality.too_few)
        say(f"Too few places for figures that mean much: {few}. Paint each at three or more, at least 160 µm apart.")
    say(f"{card.id} {card.version}: {trained.model.path}")
    say(f"To use it in H&E TME, set COVERSLIP_MODEL_TISSUE={card.id} for the worker.")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
