"""Train the packaged nucleus network: ``python -m training.nuclei --help``."""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from coverslip.slides import open_slide
from training.card import write_card
from training.export import export
from training.nuclei.fields import MPP, read_fields, read_keratin
from training.nuclei.ground import tissue_grounds
from training.nuclei.network import STRIDE, NucleusNetwork
from training.nuclei.samples import Material, gather, sample

BATCH = 8
MOST_RATE = 3e-3
AVERAGED_OVER = 300
"""Steps over which the weights that ship are averaged."""

LEAST_PROBABILITY = 0.7
"""From which a pixel counts as nucleus: 0.7 and 0.75 gave the highest F1 and PQ of 0.4 to 0.85 on an H&E field of
ovarian stroma that nothing was trained on (423 nuclei, package histolytics 0.3.0, BSD-3-Clause). The fields of BBBC038
are outlined generously, and teach too large nuclei."""
CARD = {
    "version": "1.0.0",
    "description": "Finds nuclei in H&E: foreground and depth within each nucleus.",
    "task": "nuclei",
    "kind": "distance",
    "input": {"mpp": MPP, "stride": STRIDE},
    "outputs": {
        "foreground": {"output": "maps", "channels": [0, 1]},
        "distance": {"output": "maps", "channels": [1, 2]},
    },
    "least_probability": LEAST_PROBABILITY,
    "training_data": "BBBC038v1 (Data Science Bowl 2018): 60 brightfield fields, CC0-1.0; one H&E field of high-grade "
    "serous ovarian carcinoma from the package histolytics 0.3.0 (BSD-3-Clause, Copyright (c) 2024-2025, "
    "HautaniemiLab); CMU-1-Small-Region (OpenSlide test data, CC0-1.0): its keratin, and its tissue as ground for "
    "composed fields.",
    "licence": "Apache-2.0",
}


def main() -> None:
    """Train, and write the network as ONNX."""
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    cv2.setNumThreads(1)
    material = material_of(arguments.shared)
    network = train(material, arguments.steps, arguments.seed)
    export(network, torch.zeros(1, 3, 256, 256), arguments.out, ("rgb", "maps"), {0: "n", 2: "h", 3: "w"})
    write_card(arguments.out, CARD)


def material_of(shared: Path) -> Material:
    """Everything under ``shared`` that may train what ships."""
    with open_slide(shared / "slides/CMU-1-Small-Region.svs") as slide:
        skin = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    fields = read_fields(shared)
    return gather(fields, read_keratin(skin), tissue_grounds(fields, [skin]))


def train(material: Material, steps: int, seed: int) -> nn.Module:
    """Train for a number of steps; the same seed gives the same network on the same machine."""
    network = NucleusNetwork().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=MOST_RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, MOST_RATE, total_steps=steps)
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(1 - 1 / AVERAGED_OVER), use_buffers=True
    )
    started, losses = time.monotonic(), []
    for step, (rgb, truth) in enumerate(_batches(material, steps, seed), start=1):
        # Half the digits cost less than half the time, and learning is noisy anyway.
        with torch.autocast("cpu", torch.bfloat16):
            logits = network.logits(rgb)
        loss = _loss(logits.float(), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        averaged.update_parameters(network)
        losses.append(float(loss.detach()))
        if step % 100 == 0:
            print(f"step {step}: loss {np.mean(losses[-100:]):.4f}, {time.monotonic() - started:.0f} s", flush=True)
    return averaged.module.to(memory_format=torch.contiguous_format).eval()


def _batches(material: Material, steps: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """RGB and truth of each step; the next ones are made while the network learns from these."""
    generator = np.random.default_rng(seed)

    def batch() -> tuple[Tensor, Tensor]:
        pairs = [sample(material, generator) for _ in range(BATCH)]
        rgb = torch.from_numpy(np.stack([rgb for rgb, _ in pairs])).permute(0, 3, 1, 2).float()
        return rgb.contiguous(memory_format=torch.channels_last), torch.from_numpy(
            np.stack([truth for _, truth in pairs])
        )

    with ThreadPoolExecutor(1) as maker:
        waiting = maker.submit(batch)
        for _ in range(steps):
            ready, waiting = waiting.result(), maker.submit(batch)
            yield ready


def _loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of both maps and the Dice loss of the foreground, where the truth is known."""
    target, known = truth[:, :2], truth[:, 2:]
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    weighted = (entropy * known * torch.tensor([1.0, 1.5]).view(1, 2, 1, 1)).sum() / known.sum().clamp(min=1)
    probability, foreground = torch.sigmoid(logits[:, 0]) * known[:, 0], target[:, 0] * known[:, 0]
    dice = 1 - (2 * (probability * foreground).sum() + 1) / (probability.sum() + foreground.sum() + 1)
    return weighted + 0.5 * dice


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nuclei", description="Train the nucleus network")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of eval/ and slides/")
    parser.add_argument("--out", type=Path, default=Path("coverslip-nuclei.onnx"), help="the network to write")
    parser.add_argument("--steps", type=int, default=5500)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
