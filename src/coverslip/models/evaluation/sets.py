"""Labelled images on disk, sorted into sets whose images are scored together.

A folder holds one of:

- nuclei: ``manifest.json``, a list of objects with ``name`` and ``mpp`` (null: unknown), beside ``NAME.png`` or
  ``NAME.jpg`` and ``NAME_labels.png`` (16 bits, a number per nucleus). With ``classes``, an object of label to number
  of its class, the image is for cell classes; so is one beside ``NAME_classes.json`` with ``name`` and ``classes``.
- tissue quality: ``NAME.png`` beside ``NAME_mask.png``, white where the defect is: ink where ``NAME`` has "pen" in it,
  else the edge of a coverslip.

Images of a set share the beginning of their names: letters, and then perhaps a letter with a digit, as ``dsb_s1``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from coverslip.models.errors import EvaluationSetInvalid, NothingToEvaluate

SET_OF_NAME = re.compile(r"^[a-z]+(_[a-z]\d(?=_))?", re.IGNORECASE)
USUAL_MPP = 0.25
"""Of images with classes whose resolution nobody stated; they come from 40x scans."""
OVERVIEW_MPP = 8.0
"""Of images of tissue quality, which do not state it either; their classes hardly depend on it."""

GROUPS_OF_SETS: Mapping[str, Mapping[int, str]] = {
    "consep": {2: "inflammatory", 3: "epithelial", 4: "connective"},
    "hgsc": {1: "connective", 2: "inflammatory", 3: "epithelial"},
}
"""Which of `coverslip.pathology.cell_groups.GROUPS` the numbers of classes mean in each set; others do not count. Those
of consep are as merged for HoVer-Net."""


@dataclass(frozen=True)
class LabelledImage:
    """An image with the truth about its nuclei; ``groups`` is the group of each label, where the image has any."""

    set_name: str
    image: Path
    labels: Path
    mpp: float | None
    groups: Mapping[int, str] | None = None


@dataclass(frozen=True)
class MaskedImage:
    """An image with a mask of the class ``class_name`` of `coverslip.pathology.classes.TISSUE_QC`."""

    set_name: str
    image: Path
    mask: Path
    class_name: str
    mpp: float = OVERVIEW_MPP


@dataclass(frozen=True)
class EvaluationImages:
    """All labelled images of a folder, by what they can measure."""

    nuclei: tuple[LabelledImage, ...]
    classes: tuple[LabelledImage, ...]
    quality: tuple[MaskedImage, ...]


class Entry(BaseModel):
    """An image in a manifest; it may say more, which is of no use here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(pattern=r"^[^/\\]+$")
    mpp: float | None = Field(default=None, gt=0)
    classes: dict[int, int] | None = None


def find_images(folder: Path) -> EvaluationImages:
    """All labelled images in a folder and those below it, in the order of their names.

    Raises
    ------
    NothingToEvaluate
        If there is none.
    EvaluationSetInvalid
        If a manifest cannot be read, or an image that it names is missing.
    """
    labelled = [image for path in sorted(folder.rglob("manifest.json")) for image in _of_manifest(path)]
    labelled += [image for path in sorted(folder.rglob("*_classes.json")) for image in _of_classes(path)]
    quality = tuple(_masked(path) for path in sorted(folder.rglob("*_mask.png")))
    found = EvaluationImages(
        nuclei=tuple(image for image in labelled if image.groups is None),
        classes=tuple(image for image in labelled if image.groups is not None),
        quality=quality,
    )
    if not labelled and not quality:
        raise NothingToEvaluate(folder=folder)
    return found


def _of_manifest(path: Path) -> Iterator[LabelledImage]:
    for entry in _read(path, list[Entry]):
        yield _labelled(path, entry)


def _of_classes(path: Path) -> Iterator[LabelledImage]:
    yield _labelled(path, _read(path, Entry))


def _read(path: Path, kind: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise EvaluationSetInvalid(path=path, reason=reason) from error


def _labelled(path: Path, entry: Entry) -> LabelledImage:
    labels = path.with_name(f"{entry.name}_labels.png")
    images = [path.with_name(entry.name + suffix) for suffix in (".png", ".jpg")]
    image = next((image for image in images if image.exists()), None)
    if image is None or not labels.exists():
        raise EvaluationSetInvalid(path=path, reason=f"the image of {entry.name} or its labels are not beside it")
    set_name = set_of(entry.name)
    if entry.classes is None:
        return LabelledImage(set_name, image, labels, entry.mpp)
    if set_name not in GROUPS_OF_SETS:
        raise EvaluationSetInvalid(path=path, reason=f"it is not known what the classes of {set_name} mean")
    meaning = GROUPS_OF_SETS[set_name]
    groups = {label: meaning[number] for label, number in entry.classes.items() if number in meaning}
    return LabelledImage(set_name, image, labels, entry.mpp or USUAL_MPP, groups)


def _masked(path: Path) -> MaskedImage:
    name = path.name.removesuffix("_mask.png")
    image = path.with_name(f"{name}.png")
    if not image.exists():
        raise EvaluationSetInvalid(path=path, reason=f"the image {image.name} is not beside it")
    is_pen = "pen" in name.lower()
    return MaskedImage("pen" if is_pen else "edge", image, path, "Marker" if is_pen else "Tissue Artifact")


def set_of(name: str) -> str:
    """The set that an image of this name belongs to."""
    match = SET_OF_NAME.match(name)
    return match.group().lower() if match else name
