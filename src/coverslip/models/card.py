"""The card of a model: a JSON file beside the ONNX file that says all that is needed to run and to judge it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coverslip.contract.fields import SemanticVersion
from coverslip.models.errors import ModelCardInvalid, ModelFileInaccessible, ModelFileMissing
from coverslip.pathology.classes import CELL

ID_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"


class Task(StrEnum):
    """What a model finds."""

    NUCLEI = "nuclei"
    TISSUE = "tissue"
    CELLS = "cells"


class Kind(StrEnum):
    """What its outputs mean, and so how they are decoded."""

    DISTANCE = "distance"
    STARDIST = "stardist"
    HOVER = "hover"
    PROBABILITY = "probability"
    CLASS_MAP = "class_map"
    FEATURES = "features"


KINDS = {
    Task.NUCLEI: (Kind.DISTANCE, Kind.STARDIST, Kind.HOVER, Kind.PROBABILITY),
    Task.TISSUE: (Kind.CLASS_MAP, Kind.FEATURES),
    Task.CELLS: (Kind.FEATURES,),
}

MOST_CHANNELS = 1024
MAPS = {
    Kind.DISTANCE: {"foreground": (1, 1), "distance": (1, 1)},
    Kind.STARDIST: {"probability": (1, 1), "distances": (3, MOST_CHANNELS)},
    Kind.HOVER: {"nuclei": (1, 1), "offsets": (2, 2)},
    Kind.PROBABILITY: {"nuclei": (1, 1)},
    Kind.CLASS_MAP: {"classes": (2, MOST_CHANNELS)},
    Kind.FEATURES: {"classes": (2, MOST_CHANNELS)},
}
"""The maps that each kind must give, with the fewest and the most channels they may have."""
TYPES = "types"
OPTIONAL_MAPS = {Kind.HOVER: {TYPES: (2, MOST_CHANNELS)}}
"""The maps that a kind may give besides, likewise."""
BACKGROUND = "Background"
"""What a channel of `TYPES` is called that stands for no class of cells."""


class Part(BaseModel):
    """Cards are exact and immutable: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Layout(StrEnum):
    """Order of the axes of input and outputs: n images, c channels, h rows, w columns."""

    NCHW = "NCHW"
    NHWC = "NHWC"


Positive = Annotated[float, Field(gt=0)]


class Normalisation(Part):
    """``(rgb / scale - mean) / std`` for each of red, green, blue, where ``rgb`` is 0 to 255."""

    scale: float = Field(default=255.0, gt=0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)


class Input(Part):
    """What the network takes: RGB as float32, or a table of features, one row for each thing to be classified.

    Attributes
    ----------
    mpp
        Micrometres per pixel that it was trained at.
    layout
        Order of the axes, of the outputs too.
    normalisation
        None: values 0 to 255 as they are.
    stride
        Sides must be multiples of this.
    margin_px
        Pixels at each border of the input for which there is no output, as with convolutions without padding.
    features
        kind features only: the columns of its table.
    """

    mpp: float = Field(gt=0.05, le=20)
    layout: Layout = Layout.NCHW
    normalisation: Normalisation | None = None
    stride: int = Field(default=1, ge=1, le=256)
    margin_px: int = Field(default=0, ge=0, le=512)
    features: tuple[str, ...] = ()


class Activation(StrEnum):
    """What is left to be applied to an output."""

    NONE = "none"
    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"


class OutputMap(Part):
    """Where a map is found.

    Attributes
    ----------
    output
        Its name in the network.
    activation
        What is left to be applied to it.
    channels
        Which channels of it then make the map, from the first to before the second; None: all.
    grid_px
        Pixels of the image, along each axis, for which there is one value.
    """

    output: str
    activation: Activation = Activation.NONE
    channels: tuple[int, int] | None = None
    grid_px: int = Field(default=1, ge=1, le=64)

    @model_validator(mode="after")
    def _has_channels(self) -> Self:
        if self.channels and not 0 <= self.channels[0] < self.channels[1]:
            raise ValueError("channels must be [first, before which to stop]")
        return self


class ModelCard(Part):
    """Everything about a model.

    Attributes
    ----------
    id, version, description
        ``id`` is the name of its files and on the command line.
    task, kind
        What it finds, and what its outputs mean; see `KINDS`, `MAPS` and `OPTIONAL_MAPS`.
    input
        What goes in.
    outputs
        Where each map of its kind comes out.
    least_probability
        Probability, 0 to 1, from which a pixel or star counts as nucleus.
    most_overlap
        stardist only: share of a star that others may cover before it counts as a double.
    class_names
        Classes in the order of the channels, where it gives classes. With a map `TYPES`: classes of `CELL`, which may
        have several channels, or `BACKGROUND`.
    training_data, licence
        What it was trained on, and under which licence the weights are.
    sha256
        Of the ONNX file, in hexadecimal.
    measured_quality
        Figures and how they were obtained, in any form.
    """

    id: str = Field(pattern=ID_PATTERN)
    version: SemanticVersion
    description: str = ""
    task: Task
    kind: Kind
    input: Input
    outputs: dict[str, OutputMap]
    least_probability: float = Field(default=0.5, gt=0, lt=1)
    most_overlap: float = Field(default=0.3, ge=0, lt=1)
    class_names: tuple[str, ...] = ()
    training_data: str
    licence: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    measured_quality: dict[str, Any] = {}

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.kind not in KINDS[self.task]:
            raise ValueError(f"a model for {self.task} must be of kind {' or '.join(KINDS[self.task])}")
        needed, more = MAPS[self.kind], OPTIONAL_MAPS.get(self.kind, {})
        if not needed.keys() <= self.outputs.keys() <= needed.keys() | more.keys():
            also = f", and may include {', '.join(more)}" if more else ""
            raise ValueError(f"outputs of kind {self.kind} must be named {', '.join(needed)}{also}")
        if any(self.input.stride % spec.grid_px for spec in self.outputs.values()):
            raise ValueError("input.stride must be a multiple of every grid_px")
        return self

    @model_validator(mode="after")
    def _names_its_types(self) -> Self:
        known, named = (*CELL, BACKGROUND), self.class_names
        unfit = [name for name in self.cell_types if name not in known]
        if TYPES in self.outputs and (unfit or not CELL.keys() & set(named)):
            raise ValueError(
                f"class_names must give, in order, a class of cells for each channel of {TYPES}, "
                f"of {', '.join(known)}, not {', '.join(unfit or named) or 'none'}"
            )
        return self

    @property
    def cell_types(self) -> tuple[str, ...]:
        """What each channel of the map `TYPES` stands for, a class of `CELL` or `BACKGROUND`; empty without the map."""
        return self.class_names if TYPES in self.outputs else ()


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    ModelFileMissing
        If there is no such file.
    ModelFileInaccessible
        If it cannot be read.
    ModelCardInvalid
        Naming every field that is wrong.
    """
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelFileMissing(path=path) from None
    except OSError as error:
        raise ModelFileInaccessible(path=path, reason=error.strerror or error) from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'the card'}: {fault['msg']}" for fault in error.errors())
        raise ModelCardInvalid(path=path, reason="; ".join(faults)) from None
