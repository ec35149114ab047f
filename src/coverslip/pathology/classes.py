"""Class vocabularies of tissue analysis with their colours. In a label map 0 is nothing, class i has label i + 1."""

from collections.abc import Mapping

Rgb = tuple[int, int, int]
ClassColors = Mapping[str, Rgb]
"""Class name to RGB, 0 to 255, in the order of the labels 1, 2, …"""

TISSUE_QC: ClassColors = {
    "Tissue Artifact": (230, 159, 0),
    "No Tissue": (255, 255, 255),
    "Marker": (0, 114, 178),
    "Out of Focus": (148, 103, 189),
    "Valid Tissue": (86, 180, 120),
}

TISSUE: ClassColors = {
    "Carcinoma": (214, 39, 40),
    "Epithelial Tissue": (117, 77, 172),
    "Necrosis": (64, 64, 64),
    "Stroma": (244, 165, 130),
    "Other": (153, 153, 153),
    "Blood": (140, 10, 30),
    "Vessel": (31, 119, 180),
}

CELL: ClassColors = {
    "Carcinoma cell": (214, 39, 40),
    "Endothelial cell": (31, 119, 180),
    "Epithelial cell": (117, 77, 172),
    "Fibroblast": (244, 165, 130),
    "Granulocyte": (227, 119, 194),
    "Lymphocyte": (44, 160, 44),
    "Macrophage": (188, 189, 34),
    "Other": (153, 153, 153),
    "Plasma cell": (23, 190, 207),
}

ANUCLEATE = ("Necrosis", "Blood")
"""Classes of `TISSUE` in which no nucleus is sought."""


def label_of(classes: ClassColors, name: str) -> int:
    """The label of a class in a map.

    Raises
    ------
    ValueError
        If there is no such class.
    """
    return list(classes).index(name) + 1
