"""Check a submitted slide: it must open, and be what its metadata says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import InputFile
from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.stain_plausibility import StainFault, find_stain_fault
from coverslip.slides.errors import MppMissing, SlideError
from coverslip.slides.opening import open_slide
from coverslip.slides.slide import Slide, SlideInfo

FINEST_MPP, COARSEST_MPP = 0.08, 0.55
"""Micrometres per pixel of the scans that applications take: 40x and 20x."""
MPP_TOLERANCE = 0.05


def open_input(file: InputFile, name: str) -> tuple[Slide, float]:
    """Open a slide and find its micrometres per pixel: the file's own, otherwise the metadata's ``resolution_mpp``.

    ``name`` is what its submitter calls the slide, and so what errors call it.

    Raises
    ------
    UserError
        If it cannot be opened, contradicts its metadata, or is scanned too coarsely or finely.
    """
    with blaming_input(name):
        slide = open_slide(file.path)
    try:
        check_size(slide.info, file.metadata, name)
        return slide, resolution_mpp(slide.info, file, name)
    except UserError:
        slide.close()
        raise


@contextmanager
def blaming_input(name: str) -> Iterator[None]:
    """Turn what is wrong with the slide into the submitter's error, under the ``name`` that the submitter knows.

    Raises
    ------
    UserError
        With the code of the `SlideError`.
    """
    try:
        yield
    except SlideError as error:
        named = type(error)(**error.facts | {"name": name})
        raise UserError(error.code, str(named)) from error


def check_size(info: SlideInfo, metadata: Mapping[str, Any], name: str) -> None:
    """Compare ``width_px`` and ``height_px`` of the metadata, where given, with the slide.

    Raises
    ------
    UserError
        ``INPUT.DIMENSIONS_MISMATCH``.
    """
    for key, actual in (("width_px", info.width_px), ("height_px", info.height_px)):
        stated = metadata.get(key)
        if stated is not None and stated != actual:
            raise UserError(
                "INPUT.DIMENSIONS_MISMATCH",
                f"The metadata states {key} {stated}, but {name} has {actual}; submit the metadata that belongs to "
                "this file, as `coverslip application run prepare` writes it.",
            )


def resolution_mpp(info: SlideInfo, file: InputFile, name: str) -> float:
    """Micrometres per level-0 pixel; see `open_input`.

    Raises
    ------
    UserError
        ``INPUT.MPP_MISSING``, ``INPUT.MPP_MISMATCH`` or ``INPUT.MPP_OUT_OF_RANGE``.
    """
    own, stated = info.mpp, file.metadata.get("resolution_mpp")
    mpp = stated if own is None else own
    if mpp is None:
        raise UserError("INPUT.MPP_MISSING", str(MppMissing(name=name)))
    if own is not None and stated is not None and abs(stated - own) > MPP_TOLERANCE * own:
        raise UserError(
            "INPUT.MPP_MISMATCH",
            f"The metadata states resolution_mpp {stated}, but {name} itself says {own:.4g}; correct the metadata, "
            "or leave resolution_mpp out to use the slide's.",
        )
    if not FINEST_MPP <= mpp <= COARSEST_MPP:
        raise UserError(
            "INPUT.MPP_OUT_OF_RANGE",
            f"{name} has {mpp:.4g} µm per pixel; submit a scan of {FINEST_MPP} to {COARSEST_MPP} µm per pixel "
            "(20x or 40x), not a reduced copy.",
        )
    return float(mpp)


def check_stain(overview: NDArray[np.uint8], name: str) -> None:
    """See that an overview of the slide, uint8 RGB (h, w, 3), can show H&E.

    Raises
    ------
    UserError
        ``INPUT.WRONG_STAIN``, or ``INPUT.COLOURS_BROKEN`` where the file's colours were decoded wrongly.
    """
    fault = find_stain_fault(overview)
    if fault is None:
        return
    if fault in (StainFault.BROWN, StainFault.DARK_GROUND):
        raise UserError(
            "INPUT.WRONG_STAIN",
            f"{name} cannot be H&E: it is {fault.value}. Submit the H&E slide of the case, scanned in bright field; "
            "slides of immunohistochemistry and fluorescence are not analysed.",
        )
    raise UserError(
        "INPUT.COLOURS_BROKEN",
        f"The colours of {name} are broken: it is {fault.value}. Export or convert it again from the scanner's file, "
        "in colour, with the right photometric interpretation (RGB or YBR), and compare it with the glass slide.",
    )


def check_tissue(quality: NDArray[np.uint8], name: str) -> None:
    """See that there is something to analyse in a label map of `TISSUE_QC`.

    Raises
    ------
    UserError
        ``INPUT.NO_TISSUE``.
    """
    without_tissue = [label_of(TISSUE_QC, each) for each in ("No Tissue", "Marker")]
    if np.isin(quality, without_tissue).all():
        raise UserError(
            "INPUT.NO_TISSUE",
            f"No stained tissue was found on {name}; check that it is the H&E slide of the case and not a blank, a "
            "label or an unstained section.",
        )
