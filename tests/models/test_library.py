"""Models are added after they have been tried, and found again."""

from pathlib import Path

import pytest

from coverslip.models import adding, library
from coverslip.models.adding import add_models
from coverslip.models.card import Task
from coverslip.models.errors import (
    ModelAlreadyThere,
    ModelCardInvalid,
    ModelFileChanged,
    ModelFileMissing,
    ModelIdTaken,
    ModelShapesWrong,
    ModelUnknown,
    ModelUnreadable,
    NoModelFound,
)
from coverslip.models.library import find_model, list_models
from coverslip.models.settings import ModelSettings
from harness.tiny_models import write_card, write_tiny_model


def ids(settings: ModelSettings) -> set[str]:
    return {model.card.id for model in list_models(settings.folder) if not model.is_packaged}


def test_a_model_is_added_by_either_of_its_files(source: Path, settings: ModelSettings) -> None:
    write_tiny_model(source, "hover")
    write_tiny_model(source, "distance")
    add_models(source / "hover.onnx", settings)
    add_models(source / "distance.json", settings)
    assert ids(settings) == {"hover", "distance"}
    assert find_model("hover", Task.NUCLEI, settings.folder).path == settings.folder / "hover.onnx"
    assert {path.suffix for path in settings.folder.iterdir()} == {".onnx", ".json"}


def test_its_files_may_have_other_names_than_its_id(source: Path, settings: ModelSettings) -> None:
    path = write_tiny_model(source, "probability", model_id="ours")
    for suffix in (".onnx", ".json"):
        path.with_suffix(suffix).rename(source / f"download{suffix}")
    assert [model.path.name for model in add_models(source, settings)] == ["ours.onnx"]


def test_of_a_folder_all_are_added_or_none(source: Path, settings: ModelSettings) -> None:
    write_tiny_model(source, "distance")
    wrong = write_tiny_model(source, "probability")
    wrong.write_bytes(wrong.read_bytes() + b"x")
    with pytest.raises(ModelFileChanged, match=r"probability\.onnx is not the file that its card describes"):
        add_models(source, settings)
    assert ids(settings) == set()
    write_tiny_model(source, "probability")
    assert {model.card.id for model in add_models(source, settings)} == {"distance", "probability"}


def test_a_model_is_replaced_only_when_asked(source: Path, settings: ModelSettings) -> None:
    add_models(write_tiny_model(source, "distance"), settings)
    newer = write_tiny_model(source, "distance", version="1.1.0")
    with pytest.raises(ModelAlreadyThere, match="--replace"):
        add_models(newer, settings)
    add_models(newer, settings, replace=True)
    assert find_model("distance", Task.NUCLEI, settings.folder).card.version == "1.1.0"


def test_what_is_missing_is_named(source: Path, settings: ModelSettings) -> None:
    with pytest.raises(NoModelFound, match="There is no model in"):
        add_models(source, settings)
    (source / "model.pb").touch()
    with pytest.raises(NoModelFound):
        add_models(source / "model.pb", settings)
    path = write_tiny_model(source, "distance")
    path.unlink()
    with pytest.raises(ModelFileMissing, match=r"distance\.onnx is missing"):
        add_models(path, settings)


def test_an_unknown_model_names_those_there_are(source: Path, settings: ModelSettings) -> None:
    add_models(write_tiny_model(source, "distance"), settings)
    with pytest.raises(ModelUnknown, match=r"no model nothing for nuclei here.*distance"):
        find_model("nothing", Task.NUCLEI, settings.folder)
    with pytest.raises(ModelUnknown):
        find_model("distance", Task.TISSUE, settings.folder)


def test_a_changed_file_is_not_used(source: Path, settings: ModelSettings) -> None:
    (model,) = add_models(write_tiny_model(source, "distance"), settings)
    model.path.write_bytes(model.path.read_bytes() + b"x")
    with pytest.raises(ModelFileChanged):
        find_model("distance", Task.NUCLEI, settings.folder)


def test_a_file_in_the_library_is_named_after_its_model(source: Path, settings: ModelSettings) -> None:
    (model,) = add_models(write_tiny_model(source, "distance"), settings)
    model.path.with_suffix(".json").rename(settings.folder / "other.json")
    with pytest.raises(ModelCardInvalid, match="must be named after it"):
        list_models(settings.folder)


def test_ids_of_packaged_models_are_taken(
    source: Path, settings: ModelSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    write_tiny_model(packaged, "distance")
    for module in (library, adding):
        monkeypatch.setattr(module, "PACKAGED", packaged)
    with pytest.raises(ModelIdTaken):
        add_models(write_tiny_model(source, "distance"), settings, replace=True)
    assert [model.is_packaged for model in list_models(settings.folder)] == [True]
    assert find_model("distance", Task.NUCLEI, settings.folder).is_packaged


def test_what_is_no_network_is_not_added(source: Path, settings: ModelSettings) -> None:
    path = write_tiny_model(source, "distance")
    path.write_bytes(b"not a network")
    write_card(path, kind="probability", input={"mpp": 0.5}, outputs={"nuclei": {"output": "p"}})
    with pytest.raises(ModelUnreadable, match="cannot be loaded"):
        add_models(path, settings)


def test_a_network_that_does_not_do_what_its_card_says_is_not_added(source: Path, settings: ModelSettings) -> None:
    path = write_tiny_model(source, "distance", outputs={n: {"output": "maps"} for n in ("foreground", "distance")})
    with pytest.raises(ModelShapesWrong, match="foreground has 2 channels in output maps, not 1"):
        add_models(path, settings)
    assert ids(settings) == set()
