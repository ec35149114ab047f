"""Add models to those of the site, after they have been tried."""

import shutil
from pathlib import Path

import numpy as np

from coverslip.models.card import Kind, Task
from coverslip.models.cell_model import CellModel
from coverslip.models.chosen import BUILT_IN
from coverslip.models.errors import ModelAlreadyThere, ModelFileInaccessible, ModelIdTaken, NoModelFound
from coverslip.models.library import PACKAGED, StoredModel, check_file, read_pair
from coverslip.models.network import Network
from coverslip.models.settings import ModelSettings
from coverslip.models.tissue_model import TissueModel

TRIAL_PX = 256


def add_models(source: Path, settings: ModelSettings, *, replace: bool = False) -> list[StoredModel]:
    """Copy a model, or all of a folder, into the site's folder; every one is tried before the first is copied.

    Parameters
    ----------
    source
        An .onnx file or its card, the other beside it; or a folder of such pairs.
    replace
        Whether a model may take the place of one with its id.

    Raises
    ------
    ModelError
        Saying which file is missing, invalid, changed, does not do what its card says, or is there already.
    """
    models = [read_pair(path) for path in _cards_at(source)]
    for model in models:
        check_id(model.card.id, settings, replace=replace)
        check_file(model)
        _try(model, settings)
    return [_copied(model, settings.folder) for model in models]


def check_id(model_id: str, settings: ModelSettings, *, replace: bool) -> None:
    """See that a model of that id may be added.

    Raises
    ------
    ModelIdTaken, ModelAlreadyThere
        If not.
    """
    if model_id in BUILT_IN.values() or (PACKAGED / f"{model_id}.json").exists():
        raise ModelIdTaken(model=model_id)
    if not replace and (settings.folder / f"{model_id}.json").exists():
        raise ModelAlreadyThere(model=model_id, folder=settings.folder)


def _cards_at(source: Path) -> list[Path]:
    networks = sorted(source.glob("*.onnx")) if source.is_dir() else [source]
    if not networks or networks[0].suffix not in (".onnx", ".json"):
        raise NoModelFound(place=source)
    return [path.with_suffix(".json") for path in networks]


def _try(model: StoredModel, settings: ModelSettings) -> None:
    if model.card.task is Task.CELLS:
        CellModel(model, settings)
    elif model.card.kind is Kind.FEATURES:
        TissueModel(model, settings)
    else:
        Network(model, settings).maps(np.full((TRIAL_PX, TRIAL_PX, 3), 255, np.uint8))


def _copied(model: StoredModel, folder: Path) -> StoredModel:
    target = folder / f"{model.card.id}.onnx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The card goes last: without one, a network is no model yet.
        for suffix in (".onnx", ".json"):
            partial = target.with_suffix(f"{suffix}.partial")
            shutil.copyfile(model.path.with_suffix(suffix), partial)
            partial.replace(target.with_suffix(suffix))
    except OSError as error:
        raise ModelFileInaccessible(path=error.filename or folder, reason=error.strerror or error) from error
    return StoredModel(model.card, target)
