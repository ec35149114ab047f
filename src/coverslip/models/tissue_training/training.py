"""From painted slides to a model in the site's folder."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coverslip.applications.tissue_maps import PIXEL_UM
from coverslip.models.adding import add_models, check_id
from coverslip.models.card import Input, Kind, ModelCard, OutputMap, Task
from coverslip.models.errors import TooFewClasses
from coverslip.models.library import StoredModel
from coverslip.models.settings import ModelSettings
from coverslip.models.tissue_training.classifier import fit_classifier
from coverslip.models.tissue_training.samples import PaintedSlide, Samples, gather_samples
from coverslip.models.tissue_training.validation import Quality, cross_validate
from coverslip.models.tissue_training.writing import write_classifier
from coverslip.pathology.tissue_features import TISSUE_FEATURES

UNKNOWN_SHA256 = "0" * 64


@dataclass(frozen=True)
class TrainedModel:
    """A model where it lies now, and how well it did on what it had not been shown."""

    model: StoredModel
    quality: Quality


def train_tissue_model(
    painted: Sequence[PaintedSlide],
    draft: ModelCard,
    settings: ModelSettings,
    tell: Callable[[str], None],
    *,
    mpp: float | None = None,
    replace: bool = False,
) -> TrainedModel:
    """Train a model and add it to those of the site; the same input gives the same model.

    Parameters
    ----------
    draft
        What is known of its card beforehand, see `draft_card`.
    tell
        Told of every slide that was read.
    mpp
        Micrometres per level-0 pixel of slides that do not say theirs.
    replace
        Whether it may take the place of a model with its id.

    Raises
    ------
    SlideError
        If a slide cannot be read.
    ModelError
        If an annotation cannot be used, there are too few classes, or the model may not be added.
    """
    check_id(draft.id, settings, replace=replace)
    samples = gather_samples(painted, mpp, tell)
    names = samples.class_names
    if len(names) < 2:
        raise TooFewClasses(found=names[0] if names else "no class")
    quality = cross_validate(samples)
    classifier = fit_classifier(samples.table, samples.classes, len(names))
    facts = {
        "description": f"Tells {', '.join(names[:-1])} and {names[-1]} apart by colour and texture.",
        "class_names": names,
        "training_data": _training_data(painted, samples),
        "measured_quality": {"cross_validation": asdict(quality)},
    }
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / f"{draft.id}.onnx"
        write_classifier(written, classifier, draft.model_copy(update=facts))
        (model,) = add_models(written, settings, replace=replace)
    return TrainedModel(model, quality)


def draft_card(model_id: str, version: str, licence: str) -> ModelCard:
    """The card of a model that is yet to be trained.

    Raises
    ------
    pydantic.ValidationError
        If one of these is not what a card takes.
    """
    return ModelCard(
        id=model_id,
        version=version,
        task=Task.TISSUE,
        kind=Kind.FEATURES,
        input=Input(mpp=PIXEL_UM, features=TISSUE_FEATURES),
        outputs={"classes": OutputMap(output="classes")},
        training_data="",
        licence=licence,
        sha256=UNKNOWN_SHA256,
    )


def _training_data(painted: Sequence[PaintedSlide], samples: Samples) -> str:
    """How much was painted. Names of slides may be those of patients, so that only a checksum says what it was."""
    digest = hashlib.sha256()
    for one in painted:
        digest.update(one.annotations.read_bytes())
    return (
        f"{samples.painted_mm2:.3g} mm² painted on {len(painted)} slides; "
        f"SHA-256 of the annotations {digest.hexdigest()}"
    )
