"""The truth about a block: label maps of tissue quality and tissue, and the outlines of nuclei as lines of GeoJSON."""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE, TISSUE_QC, label_of
from coverslip.slides.phantom.defects import SHOWS
from coverslip.slides.phantom.noise import Field
from coverslip.slides.phantom.nuclei import CLASSES, OUTLINE_POINTS, Nuclei
from coverslip.slides.phantom.painting import Block

LABEL_UM = 4.0
"""Side of a pixel of the label maps."""
CELLS = 2
"""Masks per label pixel and axis."""
ARTIFACT_KINDS = ("fold", "bubble or coverslip edge", "debris")
"""Kinds of Tissue Artifact."""
TISSUE_OF = {
    "epithelium": "Epithelial Tissue", "gland": "Epithelial Tissue", "stroma": "Stroma", "blood": "Blood",
    "lymph": "Other", "fat": "Other",
}  # fmt: skip
NUCLEUS_COLORS = ((126, 87, 194), (255, 152, 0), (33, 150, 243))

Labels = NDArray[np.uint8]


def block_labels(block: Block) -> tuple[Labels, Labels, Labels]:
    """Tissue quality, kind of artifact (1, 2, 3 as in `ARTIFACT_KINDS`, else 0) and tissue of a block.

    A pen hides what lies below it, an artifact hides blur. Tissue is labelled where quality is Valid Tissue; lumina
    belong to their glands, fat cells are Other tissue.
    """
    defects = block.defects
    tissue = _pooled(block, block.tissue.whole) >= 0.5
    folded, blurred = (_pooled(block, field) > 0.5 for field in (defects.fold, defects.blur))
    edge, dust, ink = (_pooled(block, field) > SHOWS for field in (defects.edge, defects.dust, defects.pen))
    kind = np.select([dust, edge, folded & tissue], [3, 2, 1], 0).astype(np.uint8)
    names = ("Marker", "Tissue Artifact", "Out of Focus", "Valid Tissue", "No Tissue")
    marker, artifact, out_of_focus, valid, none = (label_of(TISSUE_QC, name) for name in names)
    kind[ink] = 0
    quality = np.select([ink, kind > 0, tissue & blurred, tissue], [marker, artifact, out_of_focus, valid], none)
    layers = list(block.tissue.weight)
    labels = np.array([label_of(TISSUE, TISSUE_OF[name]) for name in layers] or [0], np.uint8)
    weights = [_pooled(block, block.tissue.weight[name]) for name in layers] or [np.zeros_like(tissue, np.float32)]
    strongest = labels[np.argmax(np.stack(weights), axis=0)]
    return quality.astype(np.uint8), kind, np.where(quality == valid, strongest, 0).astype(np.uint8)


def nucleus_lines(nuclei: Nuclei, mpp: float, width_px: int, height_px: int) -> bytes:
    """One GeoJSON feature a line for every nucleus whose centre lies on the slide, in level-0 pixels."""
    on_slide = (nuclei.x_um < width_px * mpp) & (nuclei.y_um < height_px * mpp)
    outlines = np.clip(nuclei.outlines_um() / mpp, 0, (width_px, height_px))
    closed = np.concatenate([outlines, outlines[:, :1]], axis=1).reshape(len(nuclei), 2 * OUTLINE_POINTS + 2)
    rings = ",".join(["[%.1f,%.1f]"] * (OUTLINE_POINTS + 1))
    templates = [
        '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[' + rings + ']]},"properties":{"objectType":"'
        f'detection","classification":{{"name":"{name}","color":[{red},{green},{blue}]}}}}}}\n'
        for name, (red, green, blue) in zip(CLASSES, NUCLEUS_COLORS, strict=True)
    ]
    kinds = nuclei.kind.tolist()
    return "".join(templates[kinds[i]] % tuple(closed[i].tolist()) for i in np.flatnonzero(on_slide)).encode()


def _pooled(block: Block, field: Field | None) -> Field:
    """The mean of a mask over each label pixel of the block."""
    rows, columns = block.inner
    height, width = (
        (block.tissue.grid.shape[i] + part.stop - part.start) // CELLS for i, part in enumerate(block.inner)
    )
    if field is None:
        return np.zeros((height, width), np.float32)
    pooled: Field = field[rows, columns].reshape(height, CELLS, width, CELLS).mean(axis=(1, 3))
    return pooled
