"""Stain augmentation: the same field as other laboratories and scanners would have shown it."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from coverslip.pathology.stain import STAIN_VECTORS, optical_density

Density = NDArray[np.float32]

BARE_DENSITY = 0.065
"""Half of the fields of BBBC038 with one stain are fainter than 0.063 at most, of those with H&E denser than 0.07."""

VECTOR_JITTER = 0.07
"""Standard deviation of each component of a stain vector, both of unit length; laboratories differ by about as much."""


def restained(density: Density, generator: Generator) -> Density:
    """Take optical density (h, w, 3) apart into stains and put it together with other amounts and hues of them.

    After D. Tellez et al., Quantifying the effects of data augmentation and stain color normalization in convolutional
    neural networks for computational pathology, Medical Image Analysis 58, 2019, 101544.
    """
    concentrations = cv2.transform(density, np.linalg.inv(STAIN_VECTORS).T.astype(np.float32))
    amounts = generator.uniform(0.55, 1.6, 3).astype(np.float32)
    offsets = generator.normal(0, 0.03, 3).astype(np.float32)
    return _mixed(concentrations * amounts + offsets, generator)


def as_hae(density: Density, generator: Generator) -> Density:
    """Give a field of a single stain, optical density (h, w, 3), the colours of H&E: what is dense becomes haematoxylin
    and what is pale eosin."""
    total = density.mean(axis=2)
    pale = float(np.percentile(total, generator.uniform(35, 60)))
    haematoxylin = np.maximum(total - pale * generator.uniform(0.8, 1.0), 0) * generator.uniform(1.2, 2.2)
    eosin = np.minimum(total, pale) * generator.uniform(0.3, 2.0) + generator.uniform(0.0, 0.5) * texture(
        total.shape, generator
    )
    stains = np.dstack([haematoxylin + generator.uniform(0, 0.08), eosin, np.zeros_like(total)]).astype(np.float32)
    return _mixed(stains, generator)


def texture(shape: tuple[int, ...], generator: Generator) -> Density:
    """Streaks and clouds like those of eosin in stroma and cytoplasm, float32 of ``shape``, mostly 0 to 1."""
    plane = np.zeros(shape, np.float32)
    angle, stretch = generator.uniform(0, np.pi), generator.uniform(1, 5)
    for sigma in (1.0, 2.5, 6.0):
        noise = generator.normal(0, 1, shape).astype(np.float32)
        rotation = cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), np.degrees(angle), 1)
        blurred = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma * stretch, sigmaY=sigma)
        turned = cv2.warpAffine(blurred, rotation, (shape[1], shape[0]), borderMode=cv2.BORDER_REFLECT)
        plane += turned / max(1e-6, float(turned.std())) * generator.uniform(0.1, 0.5)
    return np.clip(0.5 + 0.4 * plane, 0, None)


def photographed(density: Density, generator: Generator) -> NDArray[np.uint8]:
    """Turn optical density into uint8 RGB (h, w, 3), with blur, sharpening, noise and compression of some scanner."""
    light = generator.uniform(0.86, 1.0) * 255 * (1 + generator.normal(0, 0.015, 3))
    rgb = light * np.power(10.0, -np.maximum(density, 0))
    kind = generator.integers(4)
    if kind == 0:
        rgb = cv2.GaussianBlur(rgb, (0, 0), generator.uniform(0.4, 1.3))
    elif kind == 1:
        soft = cv2.GaussianBlur(rgb, (0, 0), generator.uniform(0.7, 1.5))
        rgb = rgb + generator.uniform(0.2, 1.0) * (rgb - soft)
    rgb = rgb + generator.normal(0, generator.uniform(0, 5), rgb.shape)
    bytes_ = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    if generator.random() < 0.5:
        quality = int(generator.integers(45, 96))
        _, packed = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, quality])
        bytes_ = np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)
    return bytes_


def density_of(rgb: NDArray[np.uint8]) -> Density:
    """Optical density against the brightest tones of the field itself, so that tinted glass counts as glass."""
    red, green, blue = np.maximum(np.percentile(rgb.reshape(-1, 3), 99, axis=0), 180).tolist()
    return optical_density(rgb, (red, green, blue))


def is_single_stain(density: Density) -> bool:
    """Whether a field shows nuclei on bare ground; in H&E eosin colours nearly everything."""
    return float(np.median(density)) < BARE_DENSITY


def _mixed(concentrations: Density, generator: Generator) -> Density:
    vectors = STAIN_VECTORS + generator.normal(0, VECTOR_JITTER, (3, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(cv2.transform(concentrations, vectors.T.astype(np.float32)), np.float32)
