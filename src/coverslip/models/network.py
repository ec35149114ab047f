"""Run a network over an image of any size: cut into windows, normalised, its outputs named and put together again."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import special

from coverslip.models.card import MAPS, OPTIONAL_MAPS, TYPES, Activation, Layout, ModelCard, OutputMap
from coverslip.models.errors import ModelShapesWrong
from coverslip.models.library import StoredModel
from coverslip.models.session import open_session
from coverslip.models.settings import ModelSettings

Map = NDArray[np.float32]
Spans = list[tuple[int, int]]
"""First and last pixel of every window's outputs along an axis, in pixels of the image or beyond its end."""

WINDOW_PX = 2048
"""Side of a window where the network takes any; rounded down to its stride."""
OVERLAP_PX = 64
"""At each side of a window, where its border shows in the outputs. None where the network leaves the border out."""
ROUNDING = 1e-3
"""By which probabilities may miss 0 to 1, computed with half precision."""


class Network:
    """A network with its card.

    Raises
    ------
    ProviderUnavailable, ModelUnreadable
        If it cannot be loaded.
    ModelShapesWrong
        If it has other inputs or outputs than its card says.
    """

    def __init__(self, model: StoredModel, settings: ModelSettings) -> None:
        self.card: ModelCard = model.card
        self._path = model.path
        self._session = open_session(model.path, settings.model_provider, settings.model_threads)
        self._input = self._checked_input()
        self._check_outputs()
        fixed = self._fixed_side()
        stride = self.card.input.stride
        if fixed % stride:
            raise self._wrong(f"it takes images of {fixed} px, which is no multiple of the stride {stride}")
        self._may_be_smaller = not fixed
        self._window_px = fixed or WINDOW_PX // stride * stride

    def maps(self, rgb: NDArray[np.uint8]) -> dict[str, Map]:
        """The maps that the network gives of an image.

        Parameters
        ----------
        rgb
            uint8 (h, w, 3) at the card's µm/px.

        Returns
        -------
        For each map of its kind: float32 (⌈h / g⌉, ⌈w / g⌉, channels), g being the map's ``grid_px``.

        Raises
        ------
        ModelShapesWrong
            If the outputs do not fit the input or the card.
        """
        rows, columns = (self._spans(length) for length in rgb.shape[:2])
        margin = self.card.input.margin_px
        below, right = rows[-1][1] - rgb.shape[0], columns[-1][1] - rgb.shape[1]
        framed = cv2.copyMakeBorder(rgb, margin, below + margin, margin, right + margin, cv2.BORDER_REFLECT_101)
        strips = [[self._window(framed, top, bottom, left, right) for left, right in columns] for top, bottom in rows]
        return {
            name: self._joined([[window[name] for window in strip] for strip in strips], rows, columns, spec.grid_px)[
                : -(-rgb.shape[0] // spec.grid_px), : -(-rgb.shape[1] // spec.grid_px)
            ]
            for name, spec in self.card.outputs.items()
        }

    def _spans(self, length: int) -> Spans:
        stride, margin = self.card.input.stride, self.card.input.margin_px
        shown = self._window_px - 2 * margin
        if length <= shown:
            least = -(-(length + 2 * margin) // stride) * stride - 2 * margin
            return [(0, least if self._may_be_smaller else shown)]
        step = (shown - 2 * self._overlap_px) // stride * stride
        if step <= 0:
            raise self._wrong(f"windows of {self._window_px} px are too small for an overlap of {self._overlap_px} px")
        count = 1 + -(-(length - shown) // step)
        return [(start, start + shown) for start in range(0, count * step, step)]

    @property
    def _overlap_px(self) -> int:
        return 0 if self.card.input.margin_px else OVERLAP_PX

    def _window(self, framed: NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> dict[str, Map]:
        margin = self.card.input.margin_px
        pixels = framed[top : bottom + 2 * margin, left : right + 2 * margin].astype(np.float32)
        normalisation = self.card.input.normalisation
        if normalisation:
            mean, std = (np.array(values, np.float32) for values in (normalisation.mean, normalisation.std))
            pixels = (pixels / np.float32(normalisation.scale) - mean) / std
        if self.card.input.layout is Layout.NCHW:
            pixels = pixels.transpose(2, 0, 1)
        names = sorted({spec.output for spec in self.card.outputs.values()})
        try:
            answers = self._session.run(names, {self._input: np.ascontiguousarray(pixels[np.newaxis])})
        except Exception as error:  # ONNX Runtime has a class of its own for each kind of fault, and all say why
            raise self._wrong(f"it fails on an input of {pixels.shape}: {str(error).strip().rstrip('.')}") from error
        outputs = dict(zip(names, answers, strict=True))
        return {
            name: self._map(name, spec, outputs[spec.output], (bottom - top, right - left))
            for name, spec in self.card.outputs.items()
        }

    def _map(self, name: str, spec: OutputMap, output: NDArray[Any], shown: tuple[int, int]) -> Map:
        """A map of a window as (rows, columns, channels)."""
        if output.ndim != 4 or output.shape[0] != 1:
            raise self._wrong(f"output {spec.output} is of shape {output.shape}, not of one image with channels")
        values = output[0].astype(np.float32)
        if self.card.input.layout is Layout.NCHW:
            values = values.transpose(1, 2, 0)
        if (values.shape[0] * spec.grid_px, values.shape[1] * spec.grid_px) != shown:
            raise self._wrong(
                f"output {spec.output} has {values.shape[0]} x {values.shape[1]} values for {shown[0]} x {shown[1]} "
                f"pixels; grid_px, stride, margin_px or layout is not as stated"
            )
        if not np.isfinite(values).all():
            raise self._wrong(f"output {spec.output} holds values that are no numbers")
        values = _activated(values, spec.activation)
        if spec.channels:
            values = values[..., slice(*spec.channels)]
        fewest, most = (MAPS[self.card.kind] | OPTIONAL_MAPS.get(self.card.kind, {}))[name]
        if not fewest <= values.shape[2] <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} or more"
            raise self._wrong(f"{name} has {values.shape[2]} channels in output {spec.output}, not {wanted}")
        if name == TYPES:
            self._check_types(values)
        return values

    def _check_types(self, values: Map) -> None:
        names = self.card.class_names
        if values.shape[2] != len(names):
            raise self._wrong(f"{TYPES} has {values.shape[2]} channels, but class_names has {len(names)} names")
        lowest, highest = float(values.min()), float(values.max())
        if lowest < -ROUNDING or highest > 1 + ROUNDING:
            raise self._wrong(
                f"{TYPES} has values from {lowest:.3g} to {highest:.3g}, not probabilities; see to activation"
            )

    def _joined(self, windows: list[list[Map]], rows: Spans, columns: Spans, grid_px: int) -> Map:
        strips = [_along(strip, columns, self._overlap_px, grid_px, 1) for strip in windows]
        return _along(strips, rows, self._overlap_px, grid_px, 0)

    def _checked_input(self) -> str:
        inputs = self._session.get_inputs()
        channels = 1 if self.card.input.layout is Layout.NCHW else 3
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            shapes = ", ".join(str(one.shape) for one in inputs)
            raise self._wrong(f"it takes {shapes}, not one image with the axes {self.card.input.layout}")
        if isinstance(inputs[0].shape[channels], int) and inputs[0].shape[channels] != 3:
            raise self._wrong(f"it takes {inputs[0].shape}, not three colours at the place of {self.card.input.layout}")
        if inputs[0].type != "tensor(float)":
            raise self._wrong(f"it takes {inputs[0].type}, not 32-bit floats")
        return str(inputs[0].name)

    def _check_outputs(self) -> None:
        there = [output.name for output in self._session.get_outputs()]
        missing = sorted({spec.output for spec in self.card.outputs.values()} - set(there))
        if missing:
            raise self._wrong(f"it has no output {', '.join(missing)}; its outputs are {', '.join(there)}")

    def _fixed_side(self) -> int:
        """Side of the square that the network takes, or 0 where it takes any size."""
        first = 2 if self.card.input.layout is Layout.NCHW else 1
        sides = self._session.get_inputs()[0].shape[first : first + 2]
        fixed = [side for side in sides if isinstance(side, int)]
        if fixed and (len(fixed) != 2 or fixed[0] != fixed[1]):
            raise self._wrong(f"it takes {sides} for height and width, not any or a square; see to the layout too")
        return fixed[0] if fixed else 0

    def _wrong(self, reason: str) -> ModelShapesWrong:
        return ModelShapesWrong(path=self._path, reason=reason)


def _activated(values: Map, activation: Activation) -> Map:
    if activation is Activation.SIGMOID:
        return np.asarray(special.expit(values), np.float32)
    if activation is Activation.SOFTMAX:
        return np.asarray(special.softmax(values, axis=2), np.float32)
    return values


def _along(parts: list[Map], spans: Spans, overlap_px: int, grid_px: int, axis: int) -> Map:
    """Windows of a row or column put together; each gives up the overlap where it has a neighbour."""
    kept = []
    for number, (part, (start, end)) in enumerate(zip(parts, spans, strict=True)):
        first_px = overlap_px if number else 0
        # The next window starts to count where this one ends to.
        last_px = spans[number + 1][0] + overlap_px - start if number + 1 < len(spans) else end - start
        here = slice(first_px // grid_px, last_px // grid_px)
        kept.append(part[here] if axis == 0 else part[:, here])
    return np.concatenate(kept, axis=axis)
