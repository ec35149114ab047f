"""Names of cells from their group and their tissue; tissue from cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.pathology.cell_classes import PROVENANCE, groups_of_types, most_probable, name_cells
from coverslip.pathology.cell_groups import GROUP_FEATURES, GROUPS, group_features, heard_from_neighbours
from coverslip.pathology.cells import NUCLEUS_FEATURES
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.tissue_classes import NucleusMap, classify_by_nuclei

CONNECTIVE, INFLAMMATORY, EPITHELIAL = np.eye(3, dtype=np.float32)


def named(group: np.ndarray, tissue: str, ratio: float = 1.0, *, along_blood: bool = False) -> str:
    classes, _ = name_cells(
        group[np.newaxis], np.array([label_of(TISSUE, tissue)], np.uint8), np.array([ratio]), np.array([along_blood])
    )
    return list(CELL)[classes[0] - 1]


@pytest.mark.parametrize(
    ("group", "tissue", "name"),
    [
        (EPITHELIAL, "Carcinoma", "Carcinoma cell"),
        (EPITHELIAL, "Epithelial Tissue", "Epithelial cell"),
        (EPITHELIAL, "Stroma", "Epithelial cell"),
        (INFLAMMATORY, "Carcinoma", "Lymphocyte"),
        (CONNECTIVE, "Stroma", "Fibroblast"),
        (np.array([0.6, 0.1, 0.3], np.float32), "Carcinoma", "Carcinoma cell"),
        (np.array([0.95, 0.0, 0.05], np.float32), "Carcinoma", "Fibroblast"),
    ],
)
def test_a_cell_is_named_by_its_group_and_its_tissue(group: np.ndarray, tissue: str, name: str) -> None:
    assert named(group, tissue) == name


def test_flat_connective_cells_along_blood_are_endothelium() -> None:
    assert named(CONNECTIVE, "Stroma", 0.3, along_blood=True) == "Endothelial cell"
    assert named(CONNECTIVE, "Stroma", 0.8, along_blood=True) == "Fibroblast"
    assert named(INFLAMMATORY, "Stroma", 0.3, along_blood=True) == "Lymphocyte"


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_classes_that_nothing_supports_are_never_given(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    groups = generator.dirichlet(np.ones(3), count).astype(np.float32)
    tissue = generator.integers(0, len(TISSUE) + 1, count).astype(np.uint8)
    classes, confidence = name_cells(groups, tissue, generator.random(count), generator.random(count) < 0.5)
    never = [label_of(CELL, name) for name, how in PROVENANCE.items() if how == "unvalidated"]
    assert not np.isin(classes, never).any()
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_a_cell_is_its_most_probable_type() -> None:
    types = np.zeros((2, len(CELL)), np.float32)
    types[0, label_of(CELL, "Macrophage") - 1], types[0, label_of(CELL, "Other") - 1] = 0.6, 0.4
    types[1, label_of(CELL, "Fibroblast") - 1] = 1
    classes, confidence = most_probable(types)
    assert [list(CELL)[label - 1] for label in classes] == ["Macrophage", "Fibroblast"]
    assert confidence.tolist() == pytest.approx([0.6, 1])


@pytest.mark.parametrize(
    ("name", "group"),
    [
        *((name, INFLAMMATORY) for name in ("Lymphocyte", "Plasma cell", "Macrophage", "Granulocyte")),
        *((name, EPITHELIAL) for name in ("Carcinoma cell", "Epithelial cell")),
        *((name, CONNECTIVE) for name in ("Fibroblast", "Endothelial cell")),
        ("Other", np.zeros(3)),
    ],
)
def test_each_type_is_of_its_group(name: str, group: np.ndarray) -> None:
    only = np.eye(len(CELL), dtype=np.float32)[[label_of(CELL, name) - 1]]
    assert np.array_equal(groups_of_types(only), group[np.newaxis])


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_groups_hold_what_their_types_hold(count: int, seed: int) -> None:
    types = np.random.default_rng(seed).dirichlet(np.ones(len(CELL)), count).astype(np.float32)
    types = types.reshape(count, len(CELL))
    groups = groups_of_types(types)
    assert groups.shape == (count, len(GROUPS))
    other = types[:, label_of(CELL, "Other") - 1]
    assert np.allclose(groups.sum(axis=1), 1 - other, atol=1e-5)


@given(st.integers(0, 30), st.floats(0.5, 2), st.integers(0, 2**32 - 1))
def test_the_amount_of_stain_does_not_matter(count: int, factor: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    features = generator.uniform(0.1, 1, (count, len(NUCLEUS_FEATURES))).astype(np.float32)
    stronger = features.copy()
    for number, name in enumerate(NUCLEUS_FEATURES):
        if "haematoxylin" in name or "eosin" in name or name == "texture":
            stronger[:, number] *= factor
    places = generator.uniform(0, 200, (count, 2))
    first, second = group_features(features, places), group_features(stronger, places)
    assert first.shape == (count, len(GROUP_FEATURES))
    assert np.isfinite(first).all()
    assert np.allclose(first, second, rtol=1e-4, atol=1e-4)


@given(st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_neighbours_leave_probabilities_probabilities(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(len(GROUPS)), count).astype(np.float32).reshape(count, len(GROUPS))
    heard = heard_from_neighbours(probabilities, generator.uniform(0, 100, (count, 2)))
    assert heard.shape == probabilities.shape
    assert np.allclose(heard.sum(axis=1), 1, atol=1e-4)


def test_a_lone_doubter_follows_its_neighbours() -> None:
    probabilities = np.array([[0.5, 0.0, 0.5], *[[0.05, 0.0, 0.95]] * 5], np.float32)
    places = np.array([[0.0, 0.0], *[[np.cos(a) * 8, np.sin(a) * 8] for a in range(5)]])
    assert heard_from_neighbours(probabilities, places)[0].argmax() == GROUPS.index("epithelial")


def tissue_of(group: np.ndarray, area_um2: float, *, is_cancer: bool) -> str:
    """The class in the middle of a field of epithelium by stain, full of nuclei of one group beside some leucocytes."""
    rows, columns = (axis.ravel() for axis in np.mgrid[5:95:2, 5:95:2])
    groups = np.tile(group, (len(rows), 1)).astype(np.float32)
    area = np.full(len(rows), area_um2, np.float32)
    groups[::20], area[::20] = INFLAMMATORY, 12.0
    stained = np.full((100, 100), label_of(TISSUE, "Epithelial Tissue"), np.uint8)
    nuclei = NucleusMap(rows, columns, groups, area)
    return list(TISSUE)[classify_by_nuclei(stained, nuclei, 4.0, is_cancer=is_cancer)[50, 50] - 1]


def test_nuclei_decide_what_stain_leaves_open() -> None:
    assert tissue_of(CONNECTIVE, 15, is_cancer=True) == "Stroma"
    assert tissue_of(EPITHELIAL, 20, is_cancer=True) == "Epithelial Tissue"
    assert tissue_of(EPITHELIAL, 40, is_cancer=True) == "Carcinoma"
    assert tissue_of(EPITHELIAL, 40, is_cancer=False) == "Epithelial Tissue"
