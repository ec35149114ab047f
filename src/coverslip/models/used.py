"""The models that an analysis uses: those chosen, otherwise Coverslip's own."""

from dataclasses import dataclass, replace

from coverslip.models import cell_model, nucleus_models, tissue_model
from coverslip.models.card import BACKGROUND, Task
from coverslip.models.chosen import BUILT_IN
from coverslip.models.library import find_model
from coverslip.models.settings import ModelSettings

DEFAULTS = {Task.NUCLEI: nucleus_models.DEFAULT, Task.TISSUE: tissue_model.RULES, Task.CELLS: cell_model.DEFAULT}


@dataclass(frozen=True)
class UsedModel:
    """What to record with a result; ``version`` and ``sha256`` (of the network) are empty for a method without one."""

    task: Task
    id: str
    version: str = ""
    sha256: str = ""

    @property
    def name(self) -> str:
        """Its id, with the version if it has one."""
        return f"{self.id} {self.version}".rstrip()


def models_used(settings: ModelSettings) -> list[UsedModel]:
    """The model of every task.

    Raises
    ------
    ModelError
        If one that was chosen is not here, or its file is not what its card says.
    """
    used = {task: _used(task, model_id, settings) for task, model_id in (DEFAULTS | settings.chosen).items()}
    if cell_classes_of_nuclei(settings):
        used[Task.CELLS] = replace(used[Task.NUCLEI], task=Task.CELLS)
    return list(used.values())


def cell_classes_of_nuclei(settings: ModelSettings) -> tuple[str, ...]:
    """The classes of cells that the model for nuclei tells; empty if it tells none, or a model for cells was chosen.

    Raises
    ------
    ModelError
        If the model was chosen and is not here, or its file is not what its card says.
    """
    model_id = settings.model_nuclei or nucleus_models.DEFAULT
    if settings.model_cells or model_id == BUILT_IN[Task.NUCLEI]:
        return ()
    card = find_model(model_id, Task.NUCLEI, settings.folder).card
    return tuple(name for name in dict.fromkeys(card.cell_types) if name != BACKGROUND)


def _used(task: Task, model_id: str, settings: ModelSettings) -> UsedModel:
    if model_id == BUILT_IN.get(task):
        return UsedModel(task, model_id)
    card = find_model(model_id, task, settings.folder).card
    return UsedModel(task, card.id, card.version, card.sha256)
