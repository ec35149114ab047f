"""Models small enough to be written by a test: every map is a mix of the colours of the pixel it belongs to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Mix:
    """An output whose channels are each ``weights @ (red, green, blue) + bias``."""

    weights: Sequence[tuple[float, float, float]]
    biases: Sequence[float]


def write_network(
    path: Path,
    outputs: Mapping[str, Mix],
    *,
    layout: str = "NCHW",
    side: int | None = None,
    grid: int = 1,
    blur_px: int = 0,
) -> None:
    """Write a network.

    ``side``: of the square it takes, else any; ``grid``: pixels per output value and axis; ``blur_px``: reach of a mean
    that is taken without padding, so that the outputs are smaller by twice that.
    """
    nodes, constants = [], []
    pixels = "rgb"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", ["rgb"], ["planes"], perm=[0, 3, 1, 2]))
        pixels = "planes"
    if blur_px:
        width = 2 * blur_px + 1
        nodes.append(helper.make_node("AveragePool", [pixels], ["blurred"], kernel_shape=[width, width]))
        pixels = "blurred"
    for name, mix in outputs.items():
        weights = np.array(mix.weights, np.float32).reshape(-1, 3, 1, 1)
        constants += [
            numpy_helper.from_array(weights, f"{name} weights"),
            numpy_helper.from_array(np.array(mix.biases, np.float32), f"{name} biases"),
        ]
        planes = f"{name} planes" if layout == "NHWC" else name
        inputs = [pixels, f"{name} weights", f"{name} biases"]
        nodes.append(helper.make_node("Conv", inputs, [planes], strides=[grid, grid]))
        if layout == "NHWC":
            nodes.append(helper.make_node("Transpose", [planes], [name], perm=[0, 2, 3, 1]))
    height, width_or_name = (side, side) if side else ("h", "w")
    axes = [1, 3, height, width_or_name] if layout == "NCHW" else [1, height, width_or_name, 3]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, axes)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def write_card(path: Path, **fields: Any) -> None:
    """Write a card beside the network that lies at ``path``; what is not given is as most tests want it."""
    card = {
        "id": path.stem,
        "version": "1.0.0",
        "task": "nuclei",
        "training_data": "none",
        "licence": "CC0-1.0",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps({**card, **fields}))


DARK = ((-1 / 255, 0.0, 0.0),), (1.0,)
"""1 where there is no red, 0 where there is most."""


def write_tiny_model(folder: Path, kind: str, model_id: str | None = None, **fields: Any) -> Path:
    """A model of a kind that reads the pixels of `coloured`; the path of its network."""
    path = folder / f"{model_id or kind}.onnx"
    if kind == "probability":
        write_network(path, {"p": Mix(*DARK)})
        card: dict[str, Any] = {"input": {"mpp": 0.5, "stride": 16}, "outputs": {"nuclei": {"output": "p"}}}
    elif kind == "distance":
        write_network(path, {"maps": Mix(((-1 / 255, 0, 0), (0, -1 / 255, 0)), (1, 1))})
        card = {
            "input": {"mpp": 0.5, "stride": 16},
            "outputs": {
                "foreground": {"output": "maps", "channels": [0, 1]},
                "distance": {"output": "maps", "channels": [1, 2]},
            },
        }
    elif kind == "hover":
        logits = Mix(((20, 0, 0), (-20, 0, 0)), (-10, 10))
        write_network(path, {"np": logits, "hv": Mix(((0, 2, 0), (0, 0, 2)), (-1, -1))}, layout="NHWC")
        card = {
            "input": {"mpp": 0.5, "layout": "NHWC", "normalisation": {"scale": 255}},
            "outputs": {
                "nuclei": {"output": "np", "activation": "softmax", "channels": [1, 2]},
                "offsets": {"output": "hv"},
            },
        }
    else:
        assert kind == "stardist"
        logits = Mix(((-20, 0, 0),), (10,))
        write_network(path, {"prob": logits, "dist": Mix(((0, 0, 255),) * 32, (0,) * 32)}, grid=2)
        card = {
            "input": {"mpp": 0.5, "stride": 2, "normalisation": {}},
            "outputs": {
                "probability": {"output": "prob", "activation": "sigmoid", "grid_px": 2},
                "distances": {"output": "dist", "grid_px": 2},
            },
        }
    write_card(path, kind=kind, **{**card, **fields})
    return path


def write_typed_model(folder: Path, model_id: str = "typed", grid: int = 1, **fields: Any) -> Path:
    """A model of kind hover that tells types and parts no nuclei; the path of its network.

    Nuclei are where there is little red: *Plasma cell* where there is much blue too, else *Granulocyte*. ``grid``:
    pixels per value of its maps.
    """
    path = folder / f"{model_id}.onnx"
    outputs = {
        "np": Mix(((-40, 0, 0),), (20,)),
        "hv": Mix(((0, 0, 0),) * 2, (0, 0)),
        "tp": Mix(((40, 0, 0), (0, 0, 40), (0, 0, -40)), (-40, -14, 14)),
    }
    write_network(path, outputs, grid=grid)
    card = {
        "kind": "hover",
        "input": {"mpp": 0.5, "stride": grid, "normalisation": {}},
        "outputs": {
            "nuclei": {"output": "np", "activation": "sigmoid", "grid_px": grid},
            "offsets": {"output": "hv", "grid_px": grid},
            "types": {"output": "tp", "activation": "softmax", "grid_px": grid},
        },
        "class_names": ["Background", "Plasma cell", "Granulocyte"],
    }
    write_card(path, **{**card, **fields})
    return path


def coloured(labels: NDArray[np.int32], kind: str) -> NDArray[np.uint8]:
    """An image of which the tiny model of a kind makes maps with these instances, discs all of them."""
    rgb = np.full((*labels.shape, 3), 255, np.uint8)
    rgb[labels > 0, 0] = 0
    for label in range(1, labels.max() + 1):
        rows, columns = np.nonzero(labels == label)
        x, y = columns - columns.mean(), rows - rows.mean()
        radius = np.sqrt(len(rows) / np.pi)
        away = np.hypot(x, y)
        if kind == "distance":
            rgb[rows, columns, 1] = np.clip(255 * away / (radius + 1), 0, 255)
        elif kind == "hover":
            rgb[rows, columns, 1] = np.rint(127.5 * (1 + x / np.abs(x).max()))
            rgb[rows, columns, 2] = np.rint(127.5 * (1 + y / np.abs(y).max()))
        elif kind == "stardist":
            # Only the middle of a nucleus knows the way to its border, which is the same in all directions.
            rgb[rows, columns, 0] = np.where(away < 2, 0, 255)
            rgb[rows, columns, 2] = round(radius)
    return rgb
