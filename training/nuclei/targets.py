"""What the network is to answer: foreground, and how deep inside its nucleus a pixel lies."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def maps_of(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Foreground and centre distance, float32 (2, h, w), of instance labels (h, w).

    The distance is that to the nearest pixel of another label, divided by the largest within the same nucleus, so that
    each nucleus has one summit of height 1 whatever its size.
    """
    edges = np.zeros(labels.shape, np.uint8)
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edges[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edges[1:] |= labels[1:] != labels[:-1]
    edges[:-1] |= labels[1:] != labels[:-1]
    inner = (labels > 0) & (edges == 0)
    depth = cv2.distanceTransform(inner.astype(np.uint8), cv2.DIST_L2, 5) + (labels > 0) * np.float32(0.5)
    count = int(labels.max())
    highest = np.ones(count + 1, np.float32)
    if count:
        highest[1:] = np.maximum(ndimage.maximum(depth, labels, np.arange(1, count + 1)), 0.5)
    return np.stack([(labels > 0).astype(np.float32), depth / highest[labels] * (labels > 0)])
