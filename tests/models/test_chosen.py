"""Models that a site chose are handed to other processes, and told from Coverslip's own."""

import os
from pathlib import Path

import pytest

from coverslip.models.adding import add_models
from coverslip.models.card import Task
from coverslip.models.chosen import chosen_identities
from coverslip.models.errors import ModelSettingsInvalid, ModelUnknown
from coverslip.models.nucleus_models import open_nucleus_model
from coverslip.models.settings import ModelSettings, load_settings
from coverslip.models.used import UsedModel, cell_classes_of_nuclei, models_used
from harness.tiny_models import write_tiny_model, write_typed_model


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, settings: ModelSettings) -> None:
    for name in os.environ:
        if name.startswith("COVERSLIP_MODEL_"):
            monkeypatch.delenv(name)


def chosen(monkeypatch: pytest.MonkeyPatch, **tasks: str) -> ModelSettings:
    for task, model_id in tasks.items():
        monkeypatch.setenv(f"COVERSLIP_MODEL_{task.upper()}", model_id)
    return load_settings()


def test_nothing_is_handed_on_where_nothing_was_chosen(settings: ModelSettings) -> None:
    assert settings.environment() == {}
    assert chosen_identities(settings) == {}


def test_another_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COVERSLIP_MODEL_THREADS", "2")
    monkeypatch.setenv("COVERSLIP_MODELS", "library")
    settings = chosen(monkeypatch, nuclei="hover", tissue="my-colon")
    handed_on = settings.environment()
    for name in [name for name in os.environ if name.startswith("COVERSLIP_MODEL")]:
        monkeypatch.delenv(name)
    for name, value in handed_on.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    again = load_settings()
    assert again.folder == tmp_path / "library"
    assert again.chosen == settings.chosen == {Task.NUCLEI: "hover", Task.TISSUE: "my-colon"}
    assert (again.model_threads, again.model_provider) == (2, settings.model_provider)


def test_the_home_of_this_process_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COVERSLIP_MODELS")
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))
    assert chosen(monkeypatch, tissue="ours").environment() == {
        "COVERSLIP_MODEL_TISSUE": "ours",
        "COVERSLIP_MODELS": str(tmp_path / "home" / "models"),
    }


def test_ids_cannot_lead_out_of_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelSettingsInvalid, match="COVERSLIP_MODEL_TISSUE"):
        chosen(monkeypatch, tissue="../elsewhere")


def test_a_chosen_model_is_the_default_one(
    monkeypatch: pytest.MonkeyPatch, source: Path, settings: ModelSettings
) -> None:
    add_models(write_tiny_model(source, "hover"), settings)
    assert open_nucleus_model(None, chosen(monkeypatch, nuclei="hover")).id == "hover"
    assert open_nucleus_model("classical", load_settings()).id == "classical"


def test_whatever_changes_a_model_changes_its_identity(
    monkeypatch: pytest.MonkeyPatch, source: Path, settings: ModelSettings
) -> None:
    seen = set()
    for card in ({}, {"version": "1.1.0"}, {"least_probability": 0.4}):
        add_models(write_tiny_model(source, "hover", **card), settings, replace=True)
        identities = chosen_identities(chosen(monkeypatch, nuclei="hover"))
        assert list(identities) == ["nuclei"]
        seen.add(identities["nuclei"])
    assert len(seen) == 3
    assert chosen_identities(chosen(monkeypatch, nuclei="classical", tissue="rules")) == {
        "nuclei": "classical",
        "tissue": "rules",
    }
    with pytest.raises(ModelUnknown):
        chosen_identities(chosen(monkeypatch, cells="none"))


def test_what_is_used_is_known(monkeypatch: pytest.MonkeyPatch, source: Path, settings: ModelSettings) -> None:
    (added,) = add_models(write_tiny_model(source, "hover"), settings)
    used = {model.task: model for model in models_used(chosen(monkeypatch, nuclei="hover"))}
    assert list(used) == list(Task)
    assert used[Task.NUCLEI] == UsedModel(Task.NUCLEI, "hover", "1.0.0", added.card.sha256)
    assert used[Task.TISSUE] == UsedModel(Task.TISSUE, "rules")
    assert used[Task.CELLS].sha256


def test_a_model_for_nuclei_that_tells_types_is_the_one_for_cells_too(
    monkeypatch: pytest.MonkeyPatch, source: Path, settings: ModelSettings
) -> None:
    (added,) = add_models(write_typed_model(source), settings)
    picked = chosen(monkeypatch, nuclei="typed")
    assert cell_classes_of_nuclei(picked) == ("Plasma cell", "Granulocyte")
    used = {model.task: model for model in models_used(picked)}
    assert list(used) == list(Task)
    assert used[Task.CELLS] == UsedModel(Task.CELLS, "typed", "1.0.0", added.card.sha256)


def test_a_model_for_cells_that_was_chosen_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch, source: Path, settings: ModelSettings
) -> None:
    add_models(write_typed_model(source), settings)
    picked = chosen(monkeypatch, nuclei="typed", cells="coverslip-cells")
    assert cell_classes_of_nuclei(picked) == ()
    assert {model.task: model.id for model in models_used(picked)}[Task.CELLS] == "coverslip-cells"
    assert cell_classes_of_nuclei(settings) == cell_classes_of_nuclei(chosen(monkeypatch, nuclei="classical")) == ()
