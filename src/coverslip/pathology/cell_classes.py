"""The nine cell classes from three groups of cells and the tissue they lie in.

Trained are the groups alone. Their names follow:

- epithelial cells are *Carcinoma cell* in carcinoma, otherwise *Epithelial cell*; what lies in epithelium or carcinoma
  and only seems connective is epithelial too, because connective tissue ends at the basement membrane;
- inflammatory cells are *Lymphocyte*: without labels, plasma cells, macrophages and granulocytes are not told apart;
- connective cells are *Fibroblast*, and *Endothelial cell* where a flat nucleus lies along blood.

*Plasma cell*, *Macrophage*, *Granulocyte* and *Other* are never given.

Where a model tells the nine classes itself, its word stands, and the groups that tell tissue follow from it.
"""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cell_groups import GROUPS
from coverslip.pathology.classes import CELL, TISSUE, label_of

PROVENANCE = {
    "Carcinoma cell": "rule",
    "Endothelial cell": "rule",
    "Epithelial cell": "trained",
    "Fibroblast": "trained",
    "Granulocyte": "unvalidated",
    "Lymphocyte": "trained",
    "Macrophage": "unvalidated",
    "Other": "unvalidated",
    "Plasma cell": "unvalidated",
}
"""How each class came to be: ``trained`` on labels, by ``rule``, or ``unvalidated``, which means never given."""

FLAT = 0.5
"""Short by long axis below which a nucleus is flat. Endothelium is a simple squamous epithelium: its nuclei are
flattened along the vessel's wall (M. H. Ross, W. Pawlina, Histology: A Text and Atlas, chapter on the cardiovascular
system)."""
SURELY_CONNECTIVE = 0.9
"""Probability from which a cell in epithelium is connective all the same: a thin septum that the map does not show."""
EPITHELIAL = GROUPS.index("epithelial")
USUAL_NAMES = {"connective": "Fibroblast", "inflammatory": "Lymphocyte", "epithelial": "Epithelial cell"}
GROUP_OF = {
    "Carcinoma cell": "epithelial",
    "Endothelial cell": "connective",
    "Epithelial cell": "epithelial",
    "Fibroblast": "connective",
    "Granulocyte": "inflammatory",
    "Lymphocyte": "inflammatory",
    "Macrophage": "inflammatory",
    "Plasma cell": "inflammatory",
}
"""*Other* is of none."""


def name_cells(
    groups: NDArray[np.float32],
    tissue: NDArray[np.uint8],
    axis_ratio: NDArray[np.floating],
    along_blood: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Classes of `CELL`, uint8 (n,), and their confidence, float32 (n,), 0 to 1.

    Parameters
    ----------
    groups
        Probabilities of `GROUPS`, (n, 3).
    tissue
        Label of `TISSUE` under each nucleus, (n,); 0 where it is not known.
    axis_ratio
        Short by long axis of each nucleus, (n,), 0 to 1.
    along_blood
        Whether it lies at the border of blood, (n,).
    """
    group = groups.argmax(axis=1)
    in_epithelium = np.isin(tissue, [label_of(TISSUE, name) for name in ("Carcinoma", "Epithelial Tissue")])
    connective = GROUPS.index("connective")
    group[in_epithelium & (group == connective) & (groups[:, connective] < SURELY_CONNECTIVE)] = EPITHELIAL
    usual = np.array([label_of(CELL, USUAL_NAMES[name]) for name in GROUPS], np.uint8)
    classes = usual[group]
    classes[(group == EPITHELIAL) & (tissue == label_of(TISSUE, "Carcinoma"))] = label_of(CELL, "Carcinoma cell")
    flat = (group == connective) & (axis_ratio < FLAT)
    classes[flat & along_blood] = label_of(CELL, "Endothelial cell")
    return classes, np.take_along_axis(groups, group[:, np.newaxis], axis=1)[:, 0]


def most_probable(types: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The likeliest class of `CELL` of each cell, uint8 (n,), and its probability, float32 (n,).

    ``types`` are probabilities of the classes, (n, len(CELL)); of equal ones the first counts.
    """
    return (types.argmax(axis=1) + 1).astype(np.uint8), types.max(axis=1)


def groups_of_types(types: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of `GROUPS`, float32 (n, 3), from those of the classes of `CELL`, (n, len(CELL)).

    *Other* adds to no group, so that it has no say in what the tissue is; with it the sum of a row falls short of 1.
    """
    return types @ np.array([[GROUP_OF.get(name) == group for group in GROUPS] for name in CELL], np.float32)
