"""Samples for one step of training: crops of fields, and fields composed of single nuclei, in ever new stains."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from coverslip.pathology.stain import STAIN_VECTORS
from training.nuclei.fields import LabelledField
from training.nuclei.staining import Density, as_hae, photographed, restained, texture
from training.nuclei.targets import maps_of

SIDE_PX = 192
TRUE_SHARE = 0.65
BESIDE = np.ones((7, 7), np.uint8)
"""A nucleus grown by this shows what lies beside it."""


@dataclass(frozen=True)
class Nucleus:
    """``density``: optical density (h, w, 3) above that beside the nucleus; ``mask``: bool (h, w)."""

    density: Density
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """What samples are made of: fields with labels and how often each is drawn, fields without any nucleus, single
    nuclei, tissue to put them on."""

    fields: Sequence[LabelledField]
    chances: NDArray[np.float64]
    bare: Sequence[LabelledField]
    nuclei: Sequence[Nucleus]
    tissue: Sequence[Density]


def gather(fields: Sequence[LabelledField], bare: Sequence[LabelledField], tissue: Sequence[Density]) -> Material:
    """Cut the single nuclei out of the fields."""
    nuclei = [nucleus for field in fields for nucleus in _nuclei_of(field)]
    return Material(fields, _chances(fields), bare, nuclei, tissue)


def sample(material: Material, generator: Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """RGB uint8 (side, side, 3); and foreground, centre distance and weight, float32 (3, side, side)."""
    kind = generator.random()
    if kind < 0.4:
        density, labels, known = _composed(material, generator)
    elif kind < 0.48:
        density, labels, known = _crop(material.bare[generator.integers(len(material.bare))], generator)
    else:
        density, labels, known = _crop(
            material.fields[generator.choice(len(material.fields), p=material.chances)], generator
        )
    rgb = photographed(restained(density, generator), generator)
    return rgb, np.concatenate([maps_of(labels), known[np.newaxis].astype(np.float32)])


def _chances(fields: Sequence[LabelledField]) -> NDArray[np.float64]:
    """Large fields come more often, and those of true H&E, which are few, `TRUE_SHARE` of the times."""
    chances = np.sqrt([float(field.labels.size) for field in fields])
    true = np.array([not field.single_stain for field in fields])
    for kind, share in ((true, TRUE_SHARE), (~true, 1 - TRUE_SHARE)):
        chances[kind] *= share / max(1.0, chances[kind].sum())
    return np.asarray(chances / chances.sum())


def _crop(field: LabelledField, generator: Generator) -> tuple[Density, NDArray[np.int32], NDArray[np.bool_]]:
    """A turned and scaled crop; a field of a single stain mostly in the colours of H&E.

    In H&E nuclei are outlined where their stain ends, in a single stain as generously as those fields were labelled: so
    the network learns both customs, and to tell them by the stain.
    """
    density, labels = field.density, field.tight
    if field.single_stain and generator.random() < 0.6:
        density = as_hae(density, generator)
    elif field.single_stain:
        labels = field.labels
    rows, columns = labels.shape
    top, left = generator.uniform(0, rows), generator.uniform(0, columns)
    matrix = _placed((left, top), generator)

    def moved(plane: NDArray[np.float32], method: int, border: int, value: float = 0) -> NDArray[np.float32]:
        flags = method | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(plane, matrix, (SIDE_PX, SIDE_PX), flags=flags, borderMode=border, borderValue=value)
        )

    turned = moved(density, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    numbers = moved(labels.astype(np.float32), cv2.INTER_NEAREST, cv2.BORDER_REFLECT_101).astype(np.int32)
    known = moved(field.known.astype(np.float32), cv2.INTER_NEAREST, cv2.BORDER_REFLECT_101) > 0
    return turned, numbers, known


def _placed(centre: tuple[float, float], generator: Generator) -> NDArray[np.float64]:
    """Where in the field each pixel of a crop lies: turned at will, mirrored or not, a little sheared and scaled."""
    scale = np.exp(generator.uniform(np.log(0.65), np.log(1.9)))
    angle = generator.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[generator.choice([-1, 1]), generator.normal(0, 0.08)], [0, np.exp(generator.normal(0, 0.08))]])
    linear = turn @ shear / scale
    middle = np.array([SIDE_PX / 2, SIDE_PX / 2])
    return np.column_stack([linear, np.array(centre) - linear @ middle])


def _nuclei_of(field: LabelledField) -> list[Nucleus]:
    density, labels = field.density, field.tight
    if field.single_stain:
        # A dark nucleus on a pale ground of the same stain: haematoxylin is what it has more than the ground.
        density = as_hae(density, np.random.default_rng(0))
    found = []
    for number in np.unique(labels)[1:]:
        rows, columns = np.nonzero(labels == number)
        top, left, bottom, right = rows.min() - 3, columns.min() - 3, rows.max() + 4, columns.max() + 4
        if top < 0 or left < 0 or bottom > labels.shape[0] or right > labels.shape[1] or len(rows) < 25:
            continue
        mask = labels[top:bottom, left:right] == number
        here = density[top:bottom, left:right]
        around = (field.labels[top:bottom, left:right] == 0) & (cv2.dilate(mask.astype(np.uint8), BESIDE) > 0)
        if around.sum() < 8:
            continue
        beside = np.median(here[around], axis=0)
        if (here[mask].mean() - beside.mean()) > 0.04:
            found.append(Nucleus((here - beside).astype(np.float32), mask))
    return found


def _composed(material: Material, generator: Generator) -> tuple[Density, NDArray[np.int32], NDArray[np.bool_]]:
    """Nuclei of several fields on tissue of another: every shape on every ground, crowded or sparse."""
    ground = material.tissue[generator.integers(len(material.tissue))]
    top, left = (generator.integers(0, size - SIDE_PX + 1) for size in ground.shape[:2])
    density = ground[top : top + SIDE_PX, left : left + SIDE_PX].copy()
    if generator.random() < 0.5:
        density = density[:, ::-1].copy()
    density += generator.uniform(0, 0.25) * texture((SIDE_PX, SIDE_PX), generator)[..., np.newaxis] * EOSIN
    labels = np.zeros((SIDE_PX, SIDE_PX), np.int32)
    count = int(np.exp(generator.uniform(np.log(8), np.log(260))))
    families = generator.integers(len(material.nuclei), size=int(generator.integers(3, 40)))
    density += generator.uniform(0, 0.2) * HAEMATOXYLIN * texture((SIDE_PX, SIDE_PX), generator)[..., np.newaxis]
    amount, size = generator.uniform(0.35, 1.5), np.exp(generator.uniform(np.log(0.75), np.log(1.9)))
    soft, lean = generator.uniform(0.5, 1.2), generator.uniform(0, 2 * np.pi)
    aligned = generator.random() < 0.3
    clusters = generator.uniform(0, SIDE_PX, (int(generator.integers(1, 6)), 2))
    clustered, vesicular = generator.random() < 0.5, generator.random() < 0.4
    for number in range(1, count + 1):
        nucleus = material.nuclei[families[generator.integers(len(families))]]
        angle = lean + generator.normal(0, 0.3) if aligned else generator.uniform(0, 2 * np.pi)
        patch, mask = _turned(nucleus, angle, size * np.exp(generator.normal(0, 0.12)), soft)
        spot = generator.uniform(0, SIDE_PX, 2)
        if clustered:
            spot = clusters[generator.integers(len(clusters))] + generator.normal(0, 22, 2)
        if vesicular:
            patch = patch * _cleared(mask, generator)[..., np.newaxis]
        _put(density, labels, patch * amount * np.exp(generator.normal(0, 0.15)), mask, spot, number)
    if generator.random() < 0.6:
        density += _cytoplasm(labels > 0, generator)
    return density, labels, np.ones(labels.shape, bool)


def _cytoplasm(nuclear: NDArray[np.bool_], generator: Generator) -> Density:
    """What lies around nuclei, and has borders of its own: it may hold as much haematoxylin as a pale nucleus."""
    away = cv2.distanceTransform((~nuclear).astype(np.uint8), cv2.DIST_L2, 5)
    uneven = cv2.GaussianBlur(generator.normal(0, 1, nuclear.shape).astype(np.float32), (0, 0), 5)
    reach = generator.uniform(2, 11) * np.clip(1 + 0.6 * uneven / max(1e-3, float(uneven.std())), 0.2, 2.2)
    body = cv2.GaussianBlur((away < reach).astype(np.float32), (0, 0), generator.uniform(0.5, 1.5))
    grain = generator.uniform(0.6, 1.0) + generator.uniform(0, 0.5) * texture(nuclear.shape, generator)
    stain = generator.uniform(0, 0.35) * HAEMATOXYLIN + generator.uniform(0, 0.4) * EOSIN
    return np.asarray((body * grain)[..., np.newaxis] * stain, np.float32)


HAEMATOXYLIN, EOSIN = STAIN_VECTORS[:2].astype(np.float32)


def _cleared(mask: NDArray[np.float32], generator: Generator) -> NDArray[np.float32]:
    """What is left of the chromatin of a vesicular nucleus: most at its membrane, clumps and nucleoli within."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = np.clip(depth / generator.uniform(1.5, 3.5) - 0.5, 0, 1)
    clumps = cv2.GaussianBlur(
        generator.normal(0, 1, mask.shape).astype(np.float32), (0, 0), generator.uniform(0.8, 1.8)
    )
    clumped = np.clip(0.5 + clumps / max(1e-3, float(clumps.std())) * 0.4, 0, 1)
    return np.asarray(1 - generator.uniform(0.2, 0.75) * inside * (1 - 0.6 * clumped), np.float32)


def _turned(nucleus: Nucleus, angle: float, scale: float, soft: float) -> tuple[Density, NDArray[np.float32]]:
    """The nucleus turned and scaled, density faded out at its border, and its mask 0 to 1."""
    rows, columns = nucleus.mask.shape
    side = int(np.ceil(np.hypot(rows, columns) * scale)) + 4
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), np.degrees(angle), scale)
    matrix[:, 2] += side / 2 - np.array([columns / 2, rows / 2])
    density = cv2.warpAffine(nucleus.density, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(nucleus.mask.astype(np.float32), matrix, (side, side))
    faded = cv2.GaussianBlur(mask, (0, 0), soft)
    return np.asarray(density * faded[..., np.newaxis], np.float32), np.asarray(mask, np.float32)


def _put(
    density: Density,
    labels: NDArray[np.int32],
    patch: Density,
    mask: NDArray[np.float32],
    spot: NDArray[np.float64],
    number: int,
) -> None:
    """Lay a nucleus on the field, unless too much of it would lie over another."""
    side = mask.shape[0]
    left, top = (int(value) - side // 2 for value in spot)
    rows = slice(max(0, top), min(SIDE_PX, top + side))
    columns = slice(max(0, left), min(SIDE_PX, left + side))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    own = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    inside = mask[own] > 0.5
    under = labels[rows, columns]
    if not inside.any() or np.count_nonzero(under[inside]) > 0.12 * np.count_nonzero(inside):
        return
    density[rows, columns] += patch[own] * (under == 0)[..., np.newaxis]
    under[inside & (under == 0)] = number
