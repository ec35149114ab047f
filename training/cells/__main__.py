"""Train the packaged cell classifier: ``python -m training.cells --help``."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from coverslip.pathology.cell_groups import GROUP_FEATURES, GROUPS
from training.card import write_card
from training.cells.views import views
from training.export import export

VIEWS = 120
HIDDEN = 24
MEMBERS = 5
"""Networks that are trained from different starts and averaged."""
EACH = 8000
"""Nuclei of each group, drawn from all views."""
EPOCHS = 15
CARD = {
    "version": "1.0.0",
    "description": "Tells connective, inflammatory and epithelial cells apart by their nuclei and those beside them.",
    "task": "cells",
    "kind": "features",
    "input": {"mpp": 0.5, "features": GROUP_FEATURES},
    "outputs": {"classes": {"output": "classes"}},
    "class_names": list(GROUPS),
    "training_data": "One H&E field of high-grade serous ovarian carcinoma with 1,294 nuclei, labelled by a model, "
    "from the package histolytics 0.3.0 (BSD-3-Clause, Copyright (c) 2024-2025, HautaniemiLab), shown in 120 views "
    "that differ in size, shape and stain.",
    "licence": "Apache-2.0",
}


class CellClassifier(nn.Module):
    """Maps features (n, len(GROUP_FEATURES)) to probabilities of `GROUPS` (n, 3): small networks, averaged."""

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.members = nn.ModuleList(
            nn.Sequential(nn.Linear(len(GROUP_FEATURES), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(GROUPS)))
            for _ in range(MEMBERS)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities."""
        scaled = (features - self.mean) / self.deviation
        return torch.stack([torch.softmax(member(scaled), dim=1) for member in self.members]).mean(dim=0)


def main() -> None:
    """Train, and write the classifier as ONNX."""
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    cv2.setNumThreads(1)
    generator = np.random.default_rng(arguments.seed)
    seen = list(views(arguments.shared / "eval/nuclei_classes_hgsc", VIEWS, generator))
    features = np.concatenate([part for part, _ in seen])
    groups = np.concatenate([part for _, part in seen])
    drawn = np.concatenate([generator.choice(np.flatnonzero(groups == group), EACH) for group in range(len(GROUPS))])
    classifier = train(torch.from_numpy(features[drawn]), torch.from_numpy(groups[drawn]))
    export(classifier, torch.zeros(1, len(GROUP_FEATURES)), arguments.out, ("features", "classes"), {0: "n"})
    write_card(arguments.out, CARD)


def train(features: Tensor, groups: Tensor) -> nn.Module:
    """Train all members on features (n, len(GROUP_FEATURES)) and groups (n), 0, 1, 2."""
    classifier = CellClassifier(features.mean(dim=0), features.std(dim=0))
    scaled = (features - classifier.mean) / classifier.deviation
    for number, member in enumerate(classifier.members):
        optimizer = torch.optim.AdamW(member.parameters(), lr=2e-3, weight_decay=0.3)
        for _ in range(EPOCHS):
            losses = []
            for batch in torch.randperm(len(scaled)).split(200):
                loss = nn.functional.cross_entropy(member(scaled[batch]), groups[batch], label_smoothing=0.05)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(float(loss.detach()))
        print(f"member {number + 1} of {MEMBERS}: loss {np.mean(losses):.3f}", flush=True)
    return classifier.eval()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.cells", description="Train the cell classifier")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of eval/")
    parser.add_argument("--out", type=Path, default=Path("coverslip-cells.onnx"), help="the classifier to write")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
