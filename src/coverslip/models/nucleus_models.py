"""Find nuclei in an image with any model, at the image's own resolution."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.models.card import BACKGROUND, TYPES, Kind, ModelCard, Task
from coverslip.models.chosen import BUILT_IN
from coverslip.models.errors import ImageTooLargeForModel
from coverslip.models.library import find_model
from coverslip.models.network import Map, Network
from coverslip.models.settings import ModelSettings
from coverslip.pathology.classes import CELL, label_of
from coverslip.pathology.nuclei.classical import segment_classically
from coverslip.pathology.nuclei.enlarging import enlarged
from coverslip.pathology.nuclei.hover_maps import instances_of_offsets
from coverslip.pathology.nuclei.instances import instances_of
from coverslip.pathology.nuclei.nucleus_types import types_of_nuclei
from coverslip.pathology.nuclei.probability_maps import instances_of_probability
from coverslip.pathology.nuclei.star_polygons import instances_of_stars

Labels = NDArray[np.int32]
Image = NDArray[np.uint8]

CLASSICAL = BUILT_IN[Task.NUCLEI]
"""Id of the baseline, which needs no network."""
DEFAULT = "coverslip-nuclei"
MOST_MEGAPIXELS = 100
SAME_SCALE = 0.02
"""Resolutions that differ by less than this part are one."""


@dataclass(frozen=True)
class FoundNuclei:
    """``labels``: int32 (h, w), 0 background, from 1 to n without gaps; ``types``: probabilities of the classes of
    `CELL`, float32 (n, len(CELL)), None from a model that does not tell them."""

    labels: Labels
    types: NDArray[np.float32] | None = None


class NucleusModel(Protocol):
    """What finds nuclei in images of one resolution, ``mpp`` µm per pixel."""

    @property
    def id(self) -> str:
        """Its name on the command line."""

    @property
    def mpp(self) -> float:
        """Micrometres per pixel of the images it takes."""

    def segment(self, rgb: Image) -> Labels:
        """Label the nuclei of an image, uint8 (h, w, 3): int32 (h, w), 0 background, from 1 without gaps."""

    def find(self, rgb: Image) -> FoundNuclei:
        """Label the nuclei of an image, uint8 (h, w, 3), and say what they are."""


class ClassicalNuclei:
    """`coverslip.pathology.nuclei.classical`, at the resolution of a 40x scan."""

    id = CLASSICAL
    mpp = 0.25

    def segment(self, rgb: Image) -> Labels:
        """Label the nuclei of an image."""
        return segment_classically(rgb, self.mpp)

    def find(self, rgb: Image) -> FoundNuclei:
        """Label the nuclei of an image."""
        return FoundNuclei(self.segment(rgb))


class TrainedNuclei:
    """A network with the decoder of its kind."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.id = network.card.id
        self.mpp = network.card.input.mpp

    def segment(self, rgb: Image) -> Labels:
        """Label the nuclei of an image."""
        return self.find(rgb).labels

    def find(self, rgb: Image) -> FoundNuclei:
        """Label the nuclei of an image, and say what they are if the network tells."""
        maps, card, shape = self._network.maps(rgb), self._network.card, rgb.shape[:2]
        labels = DECODERS[card.kind](maps, shape, card)
        if not card.cell_types:
            return FoundNuclei(labels)
        cell_labels = [0 if name == BACKGROUND else label_of(CELL, name) for name in card.cell_types]
        return FoundNuclei(labels, types_of_nuclei(labels, _full(maps, TYPES, shape, card), cell_labels))


def open_nucleus_model(model_id: str | None, settings: ModelSettings) -> NucleusModel:
    """Open a model for nuclei by its id; None: the one that the settings name, or the default one.

    Raises
    ------
    ModelError
        If there is none of that id, or it cannot be used.
    """
    model_id = model_id or settings.model_nuclei or DEFAULT
    if model_id == CLASSICAL:
        return ClassicalNuclei()
    return TrainedNuclei(Network(find_model(model_id, Task.NUCLEI, settings.folder), settings))


def find_nuclei(rgb: Image, mpp: float, model: NucleusModel) -> Labels:
    """Label the nuclei of an image at its own resolution.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3).
    mpp
        Micrometres per pixel of the image; it is brought to that of the model by averaging or interpolation.

    Returns
    -------
    int32 (h, w), 0 background, nuclei from 1 without gaps; those that vanish between two pixels are left out.

    Raises
    ------
    ImageTooLargeForModel
        If it would have more than 100 million pixels at the model's resolution.
    ModelShapesWrong
        If the network does not do what its card says.
    """
    rows, columns = rgb.shape[:2]
    scale = mpp / model.mpp
    if abs(scale - 1) < SAME_SCALE:
        scale = 1.0
    megapixels = rows * columns * scale**2 / 1e6
    if megapixels > MOST_MEGAPIXELS:
        raise ImageTooLargeForModel(megapixels=round(megapixels), mpp=model.mpp, limit=MOST_MEGAPIXELS)
    if scale == 1:
        return model.segment(np.ascontiguousarray(rgb))
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    labels = model.segment(np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8))
    return enlarged(labels, (rows, columns))


def _distance(maps: dict[str, Map], shape: tuple[int, int], card: ModelCard) -> Labels:
    foreground, distance = (_full(maps, name, shape, card)[..., 0] for name in ("foreground", "distance"))
    return instances_of(foreground, distance, card.input.mpp, card.least_probability)


def _stardist(maps: dict[str, Map], shape: tuple[int, int], card: ModelCard) -> Labels:
    return instances_of_stars(
        maps["probability"][..., 0],
        maps["distances"],
        card.outputs["probability"].grid_px,
        shape,
        card.input.mpp,
        card.least_probability,
        card.most_overlap,
    )


def _hover(maps: dict[str, Map], shape: tuple[int, int], card: ModelCard) -> Labels:
    nuclei, offsets = _full(maps, "nuclei", shape, card)[..., 0], _full(maps, "offsets", shape, card)
    return instances_of_offsets(nuclei, offsets, card.input.mpp, card.least_probability)


def _probability(maps: dict[str, Map], shape: tuple[int, int], card: ModelCard) -> Labels:
    nuclei = _full(maps, "nuclei", shape, card)[..., 0]
    return instances_of_probability(nuclei, card.input.mpp, card.least_probability)


def _full(maps: dict[str, Map], name: str, shape: tuple[int, int], card: ModelCard) -> Map:
    """A map with a value for every pixel."""
    values, grid_px = maps[name], card.outputs[name].grid_px
    if grid_px == 1:
        return values
    size = values.shape[1] * grid_px, values.shape[0] * grid_px
    full = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR).reshape(*size[::-1], values.shape[2])
    return np.asarray(full[: shape[0], : shape[1]], np.float32)


DECODERS: dict[Kind, Callable[[dict[str, Map], tuple[int, int], ModelCard], Labels]] = {
    Kind.DISTANCE: _distance,
    Kind.STARDIST: _stardist,
    Kind.HOVER: _hover,
    Kind.PROBABILITY: _probability,
}
