"""The nucleus network: a small U-Net that works at 0.5 µm per pixel on one core."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

STRIDE = 16
"""Sides of inputs are multiples of this."""


class NucleusNetwork(nn.Module):
    """Maps RGB, uint8 values as float (n, 3, h, w), to (n, 2, h, w): foreground probability and centre distance, 0 to
    1.

    O. Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015, with residual
    blocks and additive skips, which cost less than concatenated ones. Batch normalisation folds into the convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 36, 72, 112, 144)) -> None:
        super().__init__()
        self.stem = _convolution(3, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(narrow, wide, stride=2), *[_Residual(wide) for _ in range(blocks)])
            for narrow, wide, blocks in zip(widths, widths[1:], (1, 1, 1, 1), strict=False)
        )
        upwards = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.narrow = nn.ModuleList(nn.Conv2d(wide, narrow, 1) for wide, narrow in upwards)
        self.fuse = nn.ModuleList(_convolution(narrow, narrow) for _, narrow in upwards)
        self.head = nn.Conv2d(widths[0], 2, 1)

    def logits(self, rgb: Tensor) -> Tensor:
        """Both maps before the logistic function."""
        features = [self.stem(rgb / 127.5 - 1)]
        for down in self.down:
            features.append(down(features[-1]))
        merged = features.pop()
        for narrow, fuse in zip(self.narrow, self.fuse, strict=True):
            raised = nn.functional.interpolate(narrow(merged), scale_factor=2.0, mode="nearest")
            merged = fuse(raised + features.pop())
        out: Tensor = self.head(merged)
        return out

    def forward(self, rgb: Tensor) -> Tensor:
        """Both maps."""
        return torch.sigmoid(self.logits(rgb))


class Committee(nn.Module):
    """Networks that answer with the mean of their maps."""

    def __init__(self, members: Sequence[NucleusNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, rgb: Tensor) -> Tensor:
        """Both maps."""
        return torch.stack([member(rgb) for member in self.members]).mean(dim=0)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.relu(features + self.second(self.first(features)))


def _convolution(narrow: int, wide: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(narrow, wide, 3, stride, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True))
