"""How a nucleus network learns."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from coverslip.slides import open_slide
from training.nuclei.fields import read_fields, read_keratin
from training.nuclei.ground import tissue_grounds
from training.nuclei.network import NucleusNetwork
from training.nuclei.samples import Material, gather, sample

BATCH = 8
MOST_RATE = 3e-3
AVERAGED_OVER = 300
"""Steps over which the weights that ship are averaged."""


def train_member(shared: Path, steps: int, seed: int, left_out: str | None) -> NucleusNetwork:
    """Train one network with one thread."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(seed)
    return train(material_of(shared, left_out), steps, seed)


def material_of(shared: Path, left_out: str | None) -> Material:
    """Everything that may train what ships, but the labelled field ``left_out``; ``shared`` is the folder of eval/ and
    slides/."""
    with open_slide(shared / "slides/CMU-1-Small-Region.svs") as slide:
        skin = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    fields = [field for field in read_fields(shared) if field.name != left_out]
    return gather(fields, read_keratin(skin), tissue_grounds(fields, [skin]))


def train(material: Material, steps: int, seed: int) -> NucleusNetwork:
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
            print(
                f"network {seed}, step {step}: loss {np.mean(losses[-100:]):.4f}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    trained: NucleusNetwork = averaged.module.to(memory_format=torch.contiguous_format).eval()
    return trained


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
