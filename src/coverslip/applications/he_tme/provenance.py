"""Record with the results what made them: the models, and how each class came to be."""

from collections.abc import Collection, Iterable, Mapping

from coverslip.models.tissue_model import TissueModel
from coverslip.models.used import UsedModel
from coverslip.pathology import cell_classes, tissue_classes
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.pathology.readouts.columns import column
from coverslip.pathology.readouts.extended_readout import SLIDE, ExtendedReadout


def tissue_provenance(model: TissueModel | None) -> Mapping[str, str]:
    """How each class of `TISSUE` came to be, if that model named them all, or Coverslip's own rules if it is None."""
    if model is None:
        return tissue_classes.PROVENANCE
    return _trained(model.card.class_names, TISSUE)


def cell_provenance(told: Collection[str]) -> Mapping[str, str]:
    """How each class of `CELL` came to be: ``told`` are those that the model for nuclei tells, if it tells any."""
    return _trained(told, CELL) if told else cell_classes.PROVENANCE


def _trained(told: Collection[str], classes: Iterable[str]) -> Mapping[str, str]:
    return {name: "trained" if name in told else "unvalidated" for name in classes}


def model_names(used: Iterable[UsedModel]) -> dict[str, str]:
    """By what they find, the models that an artifact's metadata names."""
    return {model.task: model.name for model in used}


def model_readouts(used: Iterable[UsedModel]) -> list[ExtendedReadout]:
    """A readout for each model, with the checksum of its network in the definition."""
    return [
        ExtendedReadout(
            name=column("MODEL", model.task),
            region=SLIDE,
            cell_class=None,
            value=model.name,
            unit="",
            definition=f"SHA-256 {model.sha256}" if model.sha256 else "a method of Coverslip's own, without a network",
        )
        for model in used
    ]
