"""Results say what made them."""

from coverslip.applications.he_tme.provenance import cell_provenance, model_names, model_readouts, tissue_provenance
from coverslip.models.card import Task
from coverslip.models.used import UsedModel
from coverslip.pathology.cell_classes import PROVENANCE
from coverslip.pathology.classes import CELL, TISSUE

USED = [UsedModel(Task.NUCLEI, "hover", "1.2.0", "0123"), UsedModel(Task.TISSUE, "rules")]


def test_each_task_names_its_model() -> None:
    rows = [(each.name, each.region, each.value, each.definition) for each in model_readouts(USED)]
    assert rows == [
        ("MODEL_NUCLEI", "Slide", "hover 1.2.0", "SHA-256 0123"),
        ("MODEL_TISSUE", "Slide", "rules", "a method of Coverslip's own, without a network"),
    ]
    assert model_names(USED) == {"nuclei": "hover 1.2.0", "tissue": "rules"}


def test_no_class_of_tissue_is_trained_unless_a_site_trained_it() -> None:
    provenance = tissue_provenance(None)
    assert set(provenance) == set(TISSUE)
    assert "trained" not in provenance.values()


def test_the_classes_that_a_model_for_nuclei_tells_are_trained_and_no_others() -> None:
    assert cell_provenance(()) == PROVENANCE
    provenance = cell_provenance(("Macrophage", "Other"))
    assert set(provenance) == set(CELL)
    assert {name for name, word in provenance.items() if word == "trained"} == {"Macrophage", "Other"}
    assert set(provenance.values()) == {"trained", "unvalidated"}
