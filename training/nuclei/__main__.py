"""Train the packaged nucleus network: ``python -m training.nuclei --help``."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from training.card import write_card
from training.export import export, quantize
from training.nuclei.fields import MPP
from training.nuclei.learning import material_of, train_member
from training.nuclei.network import STRIDE, Committee
from training.nuclei.samples import sample

LEFT_OUT = ("hgsc_stromal", None)
"""What each of the networks that are averaged is not shown; each learns on a core of its own. By the first, the recipe
and the threshold can be judged on a field of H&E that it has never seen."""
EXAMPLES = 48
"""Samples that show how large the numbers within the networks become."""

LEAST_PROBABILITY = 0.3
"""From which a pixel counts as nucleus: of 0.3 to 0.7 it gave the first network the highest F1 and PQ on the field that
it is not shown, and both together on the fields of BBBC038."""
CARD = {
    "version": "1.1.0",
    "description": "Finds nuclei in H&E: foreground and depth within each nucleus, the mean of two networks.",
    "task": "nuclei",
    "kind": "distance",
    "input": {"mpp": MPP, "stride": STRIDE},
    "outputs": {
        "foreground": {"output": "maps", "channels": [0, 1]},
        "distance": {"output": "maps", "channels": [1, 2]},
    },
    "least_probability": LEAST_PROBABILITY,
    "training_data": "BBBC038v1 (Data Science Bowl 2018): 60 brightfield fields, CC0-1.0; two H&E fields of high-grade "
    "serous ovarian carcinoma from the package histolytics 0.3.0 (BSD-3-Clause, Copyright (c) 2024-2025, "
    "HautaniemiLab), one of which the first network was not shown; CMU-1-Small-Region (OpenSlide test data, CC0-1.0): "
    "its keratin, and its tissue as ground for composed fields.",
    "licence": "Apache-2.0",
}


def main() -> None:
    """Train, and write the networks as one in ONNX."""
    arguments = _arguments()
    seeds = range(arguments.seed, arguments.seed + len(LEFT_OUT))
    with ProcessPoolExecutor(len(LEFT_OUT), get_context("spawn")) as pool:
        members = list(pool.map(partial(train_member, arguments.shared, arguments.steps), seeds, LEFT_OUT))
    example = torch.zeros(1, 3, 256, 256)
    export(Committee(members).eval(), example, arguments.out, ("rgb", "maps"), {0: "n", 2: "h", 3: "w"})
    material, generator = material_of(arguments.shared, None), np.random.default_rng(arguments.seed)
    quantize(arguments.out, (sample(material, generator)[0] for _ in range(EXAMPLES)))
    write_card(arguments.out, CARD)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nuclei", description="Train the nucleus network")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of eval/ and slides/")
    parser.add_argument("--out", type=Path, default=Path("coverslip-nuclei.onnx"), help="the network to write")
    parser.add_argument("--steps", type=int, default=5500)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
