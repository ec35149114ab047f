"""What each nucleus is, from a map of types such as HoVer-Net and CellViT give beside the nuclei.

The types are the mean of the probabilities over a nucleus's pixels, where HoVer-Net lets the pixels vote: the mean
hears how sure each pixel is, and gives a confidence.

Source: S. Graham et al., HoVer-Net: Simultaneous Segmentation and Classification of Nuclei in Multi-Tissue Histology
Images, Medical Image Analysis 58, 2019, 101563.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import CELL


def types_of_nuclei(
    labels: NDArray[np.int32], types: NDArray[np.float32], cell_labels: Sequence[int]
) -> NDArray[np.float32]:
    """Probabilities of the classes of `CELL` for each nucleus, float32 (n, len(CELL)), each row with the sum 1.

    Parameters
    ----------
    labels
        Instances (h, w), 0 background, from 1 to n without gaps.
    types
        Probabilities (h, w, channels), 0 to 1 but for rounding.
    cell_labels
        Of each channel the label of its class of `CELL`, 0 for background, which is left out; channels of one class
        are added up. One of them at least is not 0.

    A nucleus that is all background to the map is as likely of each class that the channels name.
    """
    nucleus = labels > 0
    number, pixels = labels[nucleus] - 1, np.maximum(types[nucleus], 0)
    sums = np.zeros((int(labels.max(initial=0)), len(CELL)))
    for channel, label in enumerate(cell_labels):
        if label:
            sums[:, label - 1] += np.bincount(number, pixels[:, channel], len(sums))
    sums[sums.sum(axis=1) == 0] = np.isin(np.arange(len(CELL)) + 1, cell_labels)
    return np.asarray(sums / sums.sum(axis=1, keepdims=True), np.float32)
