"""Write a network as ONNX."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn


def export(network: nn.Module, example: Tensor, out: Path, names: tuple[str, ...], free: Mapping[int, str]) -> None:
    """Write a network of one input and one or more outputs.

    ``names`` are those of the input and the outputs; ``free`` names the axes of all of them that may have any size.
    """
    axes = {name: dict(free) for name in names}
    torch.onnx.export(
        network.eval(),
        (example,),
        str(out),
        input_names=[names[0]],
        output_names=list(names[1:]),
        dynamic_axes=axes,
        dynamo=False,
    )
