"""Measures of a tumour and of the immune cells in it, as the field defines them.

They describe the whole slide, where a pathologist often judges one field, and count nuclei, where a pathologist sees
whole cells: cut-offs published for the eye do not carry over.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.readouts.columns import CELL_TISSUES
from coverslip.pathology.readouts.extended_readout import SLIDE, TUMOR, ExtendedReadout
from coverslip.pathology.readouts.values import quotient
from coverslip.pathology.readouts.zone_census import ZoneCensus
from coverslip.pathology.zones import TUMOR_ZONES, ZONE

MONONUCLEAR = ("Lymphocyte", "Plasma cell")
"""The tumour-infiltrating lymphocytes (TILs): lymphocytes and plasma cells, no granulocytes (R. Salgado et al., The
evaluation of tumor-infiltrating lymphocytes (TILs) in breast cancer, Annals of Oncology 26, 2015, 259-271)."""
INFLAMED_PER_MM2 = 250.0
"""From this density of TILs on, lung cancers responded better to immunotherapy (M. Rakaee et al., Association of
machine learning-based assessment of tumor-infiltrating lymphocytes on standard histologic images with outcomes of
immunotherapy in patients with NSCLC, JAMA Oncology 9, 2023, 51-60). For other cancers it is only a convention."""


def tumor_readouts(
    cells: CellTable, census: ZoneCensus, counts: NDArray[np.int64], tissue_mm2: Mapping[str, float]
) -> list[ExtendedReadout]:
    """Tumour-stroma ratio, necrosis, TILs and immune phenotype.

    ``counts``: cells of each class (first axis) in each of `CELL_TISSUES` (second axis); ``tissue_mm2``: areas of the
    tissues on the slide.
    """
    inside = [list(ZONE).index(name) for name in TUMOR_ZONES]
    area_mm2 = dict(zip(TISSUE, census.area_mm2[inside].sum(axis=0).tolist(), strict=True))
    tumor_mm2 = sum(area_mm2.values())
    infiltrating = np.isin(census.zone_of_cells, np.array(inside) + 1) & np.isin(
        cells.classes, [label_of(CELL, name) for name in MONONUCLEAR]
    )
    in_stroma = infiltrating & (cells.tissue == label_of(TISSUE, "Stroma"))
    til_mm2 = float(np.nansum(cells.feature("area_um2")[in_stroma], dtype=np.float64)) / 1e6
    return [
        ExtendedReadout(
            name="STROMA_PERCENTAGE_IN_TUMOR",
            region=TUMOR,
            cell_class=None,
            value=quotient(area_mm2["Stroma"], area_mm2["Carcinoma"] + area_mm2["Stroma"], 100),
            unit="%",
            definition="tumour-stroma ratio: share of stroma in the stroma and carcinoma of the tumour; by eye, in one "
            "field, over 50 % is stroma-high (van Pelt et al., Virchows Arch 473, 2018, 405-412)",
        ),
        ExtendedReadout(
            name="NECROSIS_PERCENTAGE_IN_TUMOR",
            region=TUMOR,
            cell_class=None,
            value=quotient(area_mm2["Necrosis"], tumor_mm2, 100),
            unit="%",
            definition="share of necrosis in the area of the tumour",
        ),
        ExtendedReadout(
            name="TIL_DENSITY_IN_TUMOR",
            region=TUMOR,
            cell_class=None,
            value=quotient(int(infiltrating.sum()), tumor_mm2),
            unit="cells/mm²",
            definition="lymphocytes and plasma cells in the tumour per area of the tumour",
        ),
        ExtendedReadout(
            name="STROMAL_TIL_AREA_PERCENTAGE",
            region=TUMOR,
            cell_class=None,
            value=quotient(til_mm2, area_mm2["Stroma"], 100),
            unit="%",
            definition="area of the nuclei of lymphocytes and plasma cells in the tumour's stroma per area of that "
            "stroma; easTILs takes whole cells (Fanucci et al., npj Breast Cancer 9, 2023, 38) and so is higher",
        ),
        ExtendedReadout(
            name="IMMUNE_PHENOTYPE",
            region=SLIDE,
            cell_class="Lymphocyte",
            value=_immune_phenotype(counts, tissue_mm2),
            unit="",
            definition=f"inflamed: over {INFLAMED_PER_MM2:g} lymphocytes/mm² of Carcinoma; else excluded: over as many "
            "per mm² of Stroma; else desert; N/A without Carcinoma. The threshold is one of TILs in lung cancer "
            "(Rakaee et al., JAMA Oncol 9, 2023, 51-60); a cohort's own serves it better",
        ),
    ]


def _immune_phenotype(counts: NDArray[np.int64], tissue_mm2: Mapping[str, float]) -> str | None:
    if not tissue_mm2["Carcinoma"]:
        return None

    def dense(tissue: str) -> bool:
        lymphocytes = counts[list(CELL).index("Lymphocyte"), CELL_TISSUES.index(tissue)]
        return bool(lymphocytes > INFLAMED_PER_MM2 * tissue_mm2[tissue])

    if dense("Carcinoma"):
        return "inflamed"
    return "excluded" if dense("Stroma") else "desert"
