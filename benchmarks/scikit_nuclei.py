"""The peer of H&E TME's nuclei: the classical algorithm as one would write it with scikit-image alone."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import color, feature, filters, measure, morphology, segmentation

RADIUS_UM = 3.6


def nuclei_by_scikit_image(rgb: NDArray[np.uint8], mpp: float) -> int:
    """Find, outline and measure the nuclei of uint8 (h, w, 3); how many there are."""
    radius_px = RADIUS_UM / mpp
    haematoxylin = filters.gaussian(color.rgb2hed(rgb)[..., 0], 0.15 * radius_px)
    mask = haematoxylin > filters.threshold_otsu(haematoxylin)
    mask = morphology.remove_small_objects(mask, max_size=int(0.15 * np.pi * radius_px**2))
    distance = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, min_distance=max(1, int(radius_px / 2)), labels=measure.label(mask))
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = segmentation.watershed(-distance, markers, mask=mask)
    names = ("area", "perimeter", "major_axis_length", "minor_axis_length", "solidity", "intensity_mean")
    table = measure.regionprops_table(labels, haematoxylin, properties=names)
    masks = [np.pad(region.image_filled.astype(float), 1) for region in measure.regionprops(labels)]
    outlines = [measure.find_contours(mask, 0.5) for mask in masks]
    assert len(outlines) == len(table["area"])
    return len(outlines)
