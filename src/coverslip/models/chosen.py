"""What the models that a site chose are, so that results made with them are told from all others."""

import hashlib

from coverslip.models.card import Task
from coverslip.models.library import find_model
from coverslip.models.settings import ModelSettings

BUILT_IN = {Task.NUCLEI: "classical", Task.TISSUE: "rules"}
"""Ids of the methods that need no network."""


def chosen_identities(settings: ModelSettings) -> dict[str, str]:
    """By what it finds, id, version and SHA-256 of the card of every model that was chosen; empty if none was.

    Raises
    ------
    ModelError
        If one of them is not here, or its file is not what its card says.
    """
    return {task: _identity(task, model_id, settings) for task, model_id in settings.chosen.items()}


def _identity(task: Task, model_id: str, settings: ModelSettings) -> str:
    if model_id == BUILT_IN.get(task):
        return model_id
    card = find_model(model_id, task, settings.folder).card
    # The card holds the checksum of the network, and besides all that decides how its outputs are read.
    return f"{card.id} {card.version} {hashlib.sha256(card.model_dump_json().encode()).hexdigest()}"
