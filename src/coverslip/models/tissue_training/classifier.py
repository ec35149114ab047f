"""A small network that is trained in seconds: features in, one hidden layer, a probability for each class out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Matrix = NDArray[np.float64]

HIDDEN = 16
WEIGHT_DECAY = 1e-3
MOST_STEPS = 150
BLOCK = 512
"""Rows that are worked on at once: so few that the linear algebra does not share them among threads, which would take
several times as long."""
LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Classifier:
    """``softmax(tanh(x @ hidden + hidden_bias) @ output + output_bias)`` for features x as they are measured.

    ``hidden`` is (features, `HIDDEN`), ``output`` (`HIDDEN`, classes).
    """

    hidden: Matrix
    hidden_bias: Matrix
    output: Matrix
    output_bias: Matrix

    def classes(self, table: NDArray[np.float32]) -> NDArray[np.int64]:
        """The number of the most probable class of each row, (n,)."""
        scores = np.tanh(table @ self.hidden + self.hidden_bias) @ self.output + self.output_bias
        return np.asarray(scores.argmax(axis=1), np.int64)


def fit_classifier(table: NDArray[np.float32], classes: NDArray[np.int64], count: int) -> Classifier:
    """Train until the cross-entropy no longer falls; every class counts the same, however much of it was painted.

    By L-BFGS (D. C. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical
    Programming 45, 1989, 503-528), from the same start each time.

    Parameters
    ----------
    table
        float32 (n, features).
    classes
        (n,), from 0 to below ``count``; each occurs.
    """
    mean, spread = table.mean(axis=0, dtype=np.float64), table.std(axis=0, dtype=np.float64) + LEAST_SPREAD
    standardised = (table - mean) / spread
    weight = 1 / (np.bincount(classes, minlength=count)[classes] * count)
    wanted = np.eye(count)[classes]
    features = table.shape[1]
    shapes = [(features, HIDDEN), (HIDDEN,), (HIDDEN, count), (count,)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])

    def unpacked(packed: Matrix) -> list[Matrix]:
        return [part.reshape(shape) for part, shape in zip(np.split(packed, ends[:-1]), shapes, strict=True)]

    def loss_and_gradient(packed: Matrix) -> tuple[float, Matrix]:
        hidden, hidden_bias, output, output_bias = unpacked(packed)
        loss = 0.5 * WEIGHT_DECAY * ((hidden**2).sum() + (output**2).sum())
        gradients = [
            WEIGHT_DECAY * hidden,
            np.zeros_like(hidden_bias),
            WEIGHT_DECAY * output,
            np.zeros_like(output_bias),
        ]
        for first in range(0, len(standardised), BLOCK):
            rows = slice(first, first + BLOCK)
            active = np.tanh(standardised[rows] @ hidden + hidden_bias)
            log_probability = log_softmax(active @ output + output_bias, axis=1)
            loss -= (weight[rows] * (log_probability * wanted[rows]).sum(axis=1)).sum()
            error = weight[rows, np.newaxis] * (np.exp(log_probability) - wanted[rows])
            passed = (error @ output.T) * (1 - active**2)
            parts = standardised[rows].T @ passed, passed.sum(axis=0), active.T @ error, error.sum(axis=0)
            for gradient, part in zip(gradients, parts, strict=True):
                gradient += part
        return float(loss), np.concatenate([gradient.ravel() for gradient in gradients])

    generator = np.random.default_rng(0)
    start = np.concatenate([generator.normal(0, shape[0] ** -0.5, shape).ravel() for shape in shapes])
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    hidden, hidden_bias, output, output_bias = unpacked(found.x)
    return Classifier(hidden / spread[:, np.newaxis], hidden_bias - (mean / spread) @ hidden, output, output_bias)
