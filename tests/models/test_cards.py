"""Cards: what is wrong in one is named with the cure."""

import json
from pathlib import Path
from typing import Any

import pytest

from coverslip.models.card import read_card
from coverslip.models.errors import ModelCardInvalid, ModelFileMissing
from harness.tiny_models import write_tiny_model, write_typed_model


def change(path: Path, **fields: Any) -> Path:
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **fields}))
    return card


def test_a_card_is_read(source: Path) -> None:
    card = read_card(write_tiny_model(source, "hover", class_names=["a", "b"]).with_suffix(".json"))
    assert (card.id, card.kind, card.input.mpp, card.class_names) == ("hover", "hover", 0.5, ("a", "b"))
    assert card.outputs["nuclei"].channels == (1, 2)


def test_a_missing_card_is_named(source: Path) -> None:
    with pytest.raises(ModelFileMissing, match=r"none\.json is missing.*put both there"):
        read_card(source / "none.json")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "class_map"}, "a model for nuclei must be of kind distance or stardist or hover or probability"),
        ({"kind": "distance"}, "outputs of kind distance must be named foreground, distance"),
        ({"input": {"mpp": 0}}, r"input\.mpp: Input should be greater than 0"),
        (
            {"input": {"mpp": 0.5, "normalisation": {"std": [1, 0, 1]}}},
            r"input\.normalisation\.std\.1: Input should be greater than 0",
        ),
        ({"outputs": {"nuclei": {"output": "p", "channels": [2, 1]}}}, r"outputs\.nuclei: .*channels must be"),
        ({"outputs": {"nuclei": {"output": "p", "grid_px": 3}}}, "stride must be a multiple of every grid_px"),
        ({"sha256": "abc"}, "sha256: String should match"),
        ({"id": "../x"}, "id: String should match"),
        ({"radius": 3}, "radius: Extra inputs"),
    ],
)
def test_what_is_wrong_is_named(source: Path, fields: dict[str, Any], reason: str) -> None:
    card = change(write_tiny_model(source, "probability"), **fields)
    with pytest.raises(ModelCardInvalid, match=reason):
        read_card(card)


@pytest.mark.parametrize("names", [(), ("Background", "Background"), ("Background", "Neoplastic")])
def test_types_need_names_of_cells(source: Path, names: tuple[str, ...]) -> None:
    card = change(write_typed_model(source), class_names=names)
    with pytest.raises(
        ModelCardInvalid, match=rf"class of cells for each channel of types.*not {', '.join(names)[-10:]}"
    ):
        read_card(card)


def test_types_are_optional_and_for_hover_alone(source: Path) -> None:
    assert read_card(write_tiny_model(source, "hover", class_names=["a"]).with_suffix(".json")).cell_types == ()
    typed = write_typed_model(source).with_suffix(".json")
    assert read_card(typed).cell_types == ("Background", "Plasma cell", "Granulocyte")
    outputs = json.loads(typed.read_text())["outputs"]
    with pytest.raises(ModelCardInvalid, match=r"outputs of kind probability must be named nuclei\."):
        read_card(change(typed, kind="probability", outputs={name: outputs[name] for name in ("nuclei", "types")}))
    with pytest.raises(ModelCardInvalid, match="must be named nuclei, offsets, and may include types"):
        read_card(change(typed, kind="hover", outputs={"types": outputs["types"]}))


def test_what_is_no_json_is_refused(source: Path) -> None:
    (source / "x.json").write_text("{")
    with pytest.raises(ModelCardInvalid, match="the card: Invalid JSON"):
        read_card(source / "x.json")
