"""The models that are here: those of the package, and those that the site added to a folder of its own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from coverslip.models.card import ModelCard, Task, read_card
from coverslip.models.errors import (
    ModelCardInvalid,
    ModelFileChanged,
    ModelFileInaccessible,
    ModelFileMissing,
    ModelUnknown,
)

PACKAGED = Path(__file__).parent / "packaged"


@dataclass(frozen=True)
class StoredModel:
    """A model with its files; ``path`` is that of the network."""

    card: ModelCard
    path: Path

    @property
    def is_packaged(self) -> bool:
        """Whether it came with Coverslip."""
        return self.path.parent == PACKAGED


def list_models(site_folder: Path) -> list[StoredModel]:
    """All models, those of the package first, each kind by id.

    Raises
    ------
    ModelError
        If a card in one of the folders cannot be read.
    """
    folders = (PACKAGED, site_folder)
    return [_stored(path) for folder in folders for path in sorted(folder.glob("*.json"))]


def find_model(model_id: str, task: Task, site_folder: Path) -> StoredModel:
    """The model of that id, its file checked against its card.

    Raises
    ------
    ModelUnknown
        If there is none for that task.
    ModelError
        If its files are missing, invalid or changed.
    """
    for folder in (PACKAGED, site_folder):
        card = folder / f"{model_id}.json"
        if card.is_file():
            model = _stored(card)
            if model.card.task is task:
                check_file(model)
                return model
    known = [model.card.id for model in list_models(site_folder) if model.card.task is task]
    raise ModelUnknown(model=model_id, task=task, known=", ".join(known) or "(none)")


def read_pair(card: Path) -> StoredModel:
    """The model whose card lies there; its network has the same name and is not looked at.

    Raises
    ------
    ModelError
        If the card cannot be read.
    """
    return StoredModel(read_card(card), card.with_suffix(".onnx"))


def _stored(card: Path) -> StoredModel:
    model = read_pair(card)
    if model.card.id != card.stem:
        raise ModelCardInvalid(path=card, reason=f"its id is {model.card.id}, and its file must be named after it")
    return model


def check_file(model: StoredModel) -> None:
    """Compare the network with the checksum in its card.

    Raises
    ------
    ModelFileMissing, ModelFileInaccessible, ModelFileChanged
        If it is not there, cannot be read, or is another.
    """
    try:
        with model.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ModelFileMissing(path=model.path) from None
    except OSError as error:
        raise ModelFileInaccessible(path=model.path, reason=error.strerror or error) from error
    if found != model.card.sha256:
        raise ModelFileChanged(path=model.path, found=found, expected=model.card.sha256)
