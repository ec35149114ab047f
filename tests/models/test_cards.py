"""Cards: what is wrong in one is named with the cure."""

import json
from pathlib import Path
from typing import Any

import pytest

from coverslip.models.card import read_card
from coverslip.models.errors import ModelCardInvalid, ModelFileMissing
from harness.tiny_models import write_tiny_model


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


def test_what_is_no_json_is_refused(source: Path) -> None:
    (source / "x.json").write_text("{")
    with pytest.raises(ModelCardInvalid, match="the card: Invalid JSON"):
        read_card(source / "x.json")
