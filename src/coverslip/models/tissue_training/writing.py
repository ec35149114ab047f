"""Write a trained classifier as an ONNX file with its card."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from coverslip.models.card import ModelCard
from coverslip.models.tissue_training.classifier import Classifier

OPSET, IR_VERSION = 17, 9
"""Old enough for every ONNX Runtime that Coverslip takes."""


def write_classifier(path: Path, classifier: Classifier, card: ModelCard) -> None:
    """Write ``path``, ending in .onnx, and ``card`` with its checksum beside it."""
    features, count = classifier.hidden.shape[0], len(classifier.output_bias)
    weights = {
        "hidden": classifier.hidden,
        "hidden_bias": classifier.hidden_bias,
        "output": classifier.output,
        "output_bias": classifier.output_bias,
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["features", "hidden", "hidden_bias"], ["sums"]),
            helper.make_node("Tanh", ["sums"], ["active"]),
            helper.make_node("Gemm", ["active", "output", "output_bias"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["classes"], axis=1),
        ],
        "tissue",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["n", count])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    stated = card.model_copy(update={"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    path.with_suffix(".json").write_text(stated.model_dump_json(indent=2) + "\n", encoding="utf-8")
