"""All figures of a folder of labelled images as one document."""

from pathlib import Path
from typing import Any

from coverslip.models.evaluation.scoring import Classify, score_cell_classes, score_nuclei, score_quality
from coverslip.models.evaluation.sets import find_images
from coverslip.models.nucleus_models import NucleusModel, find_nuclei

DECIMALS = 4


def measure(folder: Path, model: NucleusModel, classify: Classify) -> dict[str, Any]:
    """Measure nuclei, classes of cells and tissue quality, whichever the folder has images for.

    Returns
    -------
    ``model``, its id, and for each of ``nuclei``, ``classes`` and ``quality`` an object of set to figures, pooled over
    its images; empty where there is no image. All scores are 0 to 1.

    Raises
    ------
    ModelError, SlideError
        If there is nothing to measure, or it cannot be read.
    """
    images = find_images(folder)
    nuclei = score_nuclei(images.nuclei, lambda rgb, mpp: find_nuclei(rgb, mpp, model))
    classes = score_cell_classes(images.classes, classify)
    quality = score_quality(images.quality)
    return {
        "model": model.id,
        "nuclei": {
            name: {
                "images": score.images,
                "nuclei": score.instances.truth,
                "found": score.instances.found,
                "f1_at_iou_0.5": _rounded(score.instances.f1),
                "f1_of_centroids": _rounded(score.centroids.f1),
                "pq": _rounded(score.instances.pq),
                "aji": _rounded(score.instances.aji),
            }
            for name, score in nuclei.items()
        },
        "classes": {
            name: {
                "nuclei": int(score.confusion.sum()),
                "macro_f1": _rounded(score.macro_f1),
                "accuracy": _rounded(score.accuracy),
                "f1": {group: _rounded(value) for group, value in score.f1.items()},
            }
            for name, score in classes.items()
        },
        "quality": {name: {"dice": _rounded(score.dice)} for name, score in quality.items()},
    }


def _rounded(value: float) -> float:
    return round(value, DECIMALS)
