"""Write a network as ONNX."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
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


def quantize(out: Path, images: Iterable[NDArray[np.uint8]]) -> None:
    """Let a network of the one input ``rgb`` compute with 8 bits, which takes a third of the time.

    ``images``, uint8 (h, w, 3), show how large the numbers within the network become. Weights get 7 bits, so that their
    sums overflow on no processor, and all give the same answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(out, plain, skip_symbolic_shape=True)
        quantize_static(
            plain,
            out,
            _Examples(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv", "Add", "Resize", "Relu"],
        )


class _Examples(CalibrationDataReader):
    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        image = next(self._images, None)
        return None if image is None else {"rgb": image.transpose(2, 0, 1)[np.newaxis].astype(np.float32)}
