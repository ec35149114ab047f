"""Run a network that classifies the rows of a table of features."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coverslip.models.errors import ModelShapesWrong
from coverslip.models.library import StoredModel
from coverslip.models.session import open_session
from coverslip.models.settings import ModelSettings


class FeatureNetwork:
    """A network with its card, tried on one row.

    Parameters
    ----------
    features
        Names of the columns that it will be given.

    Raises
    ------
    ProviderUnavailable, ModelUnreadable
        If it cannot be loaded.
    ModelShapesWrong
        If it takes another table, or does not give a probability for each of its classes.
    """

    def __init__(self, model: StoredModel, settings: ModelSettings, features: Sequence[str]) -> None:
        self._card = model.card
        self._path = model.path
        if self._card.input.features != tuple(features):
            raise self._wrong(f"it takes other features than the {len(features)} of this version; train it again")
        self._output = self._card.outputs["classes"].output
        self._session = open_session(model.path, settings.model_provider, settings.model_threads)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 2 or inputs[0].shape[1] != len(features):
            shapes = ", ".join(str(one.shape) for one in inputs)
            raise self._wrong(f"it takes {shapes}, not one table with {len(features)} columns")
        self._input: str = inputs[0].name
        self.probabilities(np.zeros((1, len(features)), np.float32))

    def probabilities(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the card's classes, float32 (n, classes), of a table (n, features).

        Raises
        ------
        ModelShapesWrong
            If the network gives something else.
        """
        try:
            (answer,) = self._session.run([self._output], {self._input: table})
        except Exception as error:  # ONNX Runtime has a class of its own for each kind of fault, and all say why
            raise self._wrong(f"it fails on a table of {table.shape}: {str(error).strip().rstrip('.')}") from error
        if answer.shape != (len(table), len(self._card.class_names)) or not np.isfinite(answer).all():
            raise self._wrong(f"output {self._output} does not hold a number for each of its classes")
        return np.asarray(answer, np.float32)

    def _wrong(self, reason: str) -> ModelShapesWrong:
        return ModelShapesWrong(path=self._path, reason=reason)
