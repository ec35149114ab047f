"""`coverslip model`: models for nuclei, tissue and cells, those of Coverslip and your own."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from coverslip.cli.extras import packages_of
from coverslip.cli.output import Format, FormatOption, note, print_json, print_table, say
from coverslip.cli.train_tissue import train_tissue
from coverslip.cli.writing import writing

app = typer.Typer(help="See, add, train and measure models.", no_args_is_help=True)
app.command("train-tissue")(train_tissue)


@app.command("list")
def list_models(style: FormatOption = Format.TEXT) -> None:
    """List the models on this machine: those of Coverslip, and those that were added."""
    with packages_of("server"):
        from coverslip.models.library import list_models as stored
        from coverslip.models.nucleus_models import CLASSICAL
        from coverslip.models.settings import load_settings
        from coverslip.models.used import models_used

    settings = load_settings()
    models = stored(settings.folder)
    if style is Format.JSON:
        print_json([{**model.card.model_dump(mode="json"), "path": str(model.path)} for model in models])
        return
    rows: list[tuple[object, ...]] = [(CLASSICAL, "-", "nuclei", "no network", "-", "-", "-")]
    for model in models:
        card = model.card
        rows.append((card.id, card.version, card.task, card.kind, card.input.mpp, card.licence, model.path.parent))
    print_table(("MODEL", "VERSION", "FINDS", "KIND", "µm/px", "LICENCE", "FOLDER"), rows, unbroken="MODEL")
    say(f"Used unless you choose: {', '.join(f'{used.id} for {used.task}' for used in models_used(settings))}")


@app.command()
def add(
    source: Annotated[Path, typer.Argument(help="An .onnx file with its card beside it, or a folder of such pairs.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model with the same id.")] = False,
) -> None:
    """Add a model, or all of a folder, to those of this machine (COVERSLIP_MODELS, else models in COVERSLIP_HOME)."""
    with packages_of("server"):
        from coverslip.models.adding import add_models
        from coverslip.models.settings import load_settings

    for model in add_models(source, load_settings(), replace=replace):
        say(f"{model.card.id} {model.card.version}: {model.path}")


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Labelled images, or a folder of such folders.")],
    model_id: Annotated[str | None, typer.Option("--model", help="Model for nuclei; else the default one.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")] = None,
    style: FormatOption = Format.TEXT,
) -> None:
    """Measure nuclei, classes of cells and tissue quality against the truth, pooled over the images of each set."""
    with packages_of("server"):
        from coverslip.models.cell_model import classify_nuclei, open_cell_model
        from coverslip.models.evaluation.figures import measure
        from coverslip.models.nucleus_models import open_nucleus_model
        from coverslip.models.settings import load_settings

    settings = load_settings()
    cell_model = open_cell_model(settings)
    figures = measure(folder, open_nucleus_model(model_id, settings), partial(classify_nuclei, model=cell_model))
    if json_out:
        with writing(json_out):
            json_out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        note(f"Written to {json_out}")
    if style is Format.JSON:
        print_json(figures)
        return
    _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    tables = {
        f"Nuclei, by {figures['model']}": figures["nuclei"],
        "Classes of given nuclei": figures["classes"],
        "Tissue quality": figures["quality"],
    }
    for title, sets in tables.items():
        if not sets:
            continue
        say(title)
        names = [name for name in next(iter(sets.values())) if name != "f1"]
        groups = list(next(iter(sets.values())).get("f1", ()))
        rows = (
            (name, *(_cell(found[column]) for column in names), *(_cell(found["f1"][group]) for group in groups))
            for name, found in sets.items()
        )
        print_table(("SET", *names, *(f"f1 {group}" for group in groups)), rows)
        say()


def _cell(value: float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
