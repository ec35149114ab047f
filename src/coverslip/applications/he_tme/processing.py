"""The work of H&E TME: quality and tissue maps, nuclei, cells, readouts, in thirteen artifacts.

A first look at about 1 µm per pixel judges the quality of the tissue, so that nuclei are sought where there is valid
tissue only. That search is the one pass at the model's resolution; everything else follows from what it found.
"""

from collections.abc import Mapping, Sequence

from coverslip.applications.cell_files import write_cell_geojson, write_cell_parquet
from coverslip.applications.he_tme.nuclei import Search, SlideNuclei, find_slide_nuclei
from coverslip.applications.he_tme.nucleus_tiles import TileGrid
from coverslip.applications.he_tme.provenance import cell_provenance, model_names, model_readouts, tissue_provenance
from coverslip.applications.he_tme.readout_files import (
    write_cell_readouts,
    write_extended_readouts,
    write_slide_readouts,
)
from coverslip.applications.he_tme.slide_cells import SlideCells, classify_slide
from coverslip.applications.nuclei_check import check_nuclei
from coverslip.applications.protocol import InputFile, Item, Outputs, Progress
from coverslip.applications.region_files import ClassRegion
from coverslip.applications.slide_input import blaming_input, check_stain, check_tissue, open_input
from coverslip.applications.tissue_artifacts import (
    PARQUET,
    MapFrame,
    labelled,
    publish_maps,
    quality_regions,
    tissue_regions,
)
from coverslip.applications.tissue_maps import OVERVIEW_PX, TissueMaps, map_tissue
from coverslip.models.cell_model import open_cell_model
from coverslip.models.nucleus_models import open_nucleus_model
from coverslip.models.settings import ModelSettings, load_settings
from coverslip.models.tissue_model import open_tissue_model
from coverslip.models.used import UsedModel, cell_classes_of_nuclei, models_used
from coverslip.pathology.cells import NUCLEUS_FEATURES
from coverslip.pathology.classes import TISSUE, TISSUE_QC
from coverslip.pathology.readouts.extended import extended_readouts
from coverslip.pathology.readouts.slide import slide_readouts
from coverslip.pathology.tissue_qc import VALID
from coverslip.slides.cores import usable_cores

INPUT = "whole_slide_image"
MOST_PROCESSES = 3
"""Each takes 400 MB; the manifest grants 2 GB, of which a million cells take half."""
LOOKED, SOUGHT, CLASSIFIED, WRITTEN = 0.08, 0.85, 0.9, 0.95
"""Parts of the whole time after which the tissue is mapped, nuclei are found, cells classified, and cells written."""


def process_slide(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Analyse one slide and publish its artifacts, each as soon as it exists.

    Raises
    ------
    UserError
        If the slide is unreadable, contradicts its metadata, cannot be H&E, holds no tissue, or cannot have its
        resolution.
    ModelError
        If a model cannot be used.
    """
    progress("open_slide", 0.0)
    given, name = item.inputs[INPUT], item.external_id
    settings = load_settings()
    tissue_model, used = open_tissue_model(settings), models_used(settings)
    told = cell_classes_of_nuclei(settings)
    slide, mpp = open_input(given, name)
    with slide, blaming_input(name):
        overview = slide.thumbnail(OVERVIEW_PX)
        check_stain(overview, name)
        maps = map_tissue(slide, mpp, overview, lambda part: progress("map_tissue", LOOKED * part), tissue_model)
        frame = MapFrame(slide.info, mpp, maps.cell_px)
    check_tissue(maps.quality.labels, name)
    progress("tissue_qc", LOOKED)
    quality = quality_regions(maps.quality, frame)
    publish_maps("tissue_qc", maps.quality.labels, quality, frame, outputs, parquet=True)

    with blaming_input(name):
        nuclei = _nuclei(given, maps, frame, settings, progress)
    valid_um2 = float((maps.quality.labels == VALID).sum()) * (maps.cell_px * mpp) ** 2
    areas_um2 = nuclei.features[:, NUCLEUS_FEATURES.index("area_um2")]
    warnings = [*frame.info.warnings, *check_nuclei(areas_um2, valid_um2, frame.info, mpp, name)]
    progress("classify_cells", SOUGHT)
    found = classify_slide(
        nuclei,
        maps,
        mpp,
        None if told else open_cell_model(settings),
        is_cancer=given.metadata["specimen"]["disease"] != "OTHER",
        tissue_is_final=tissue_model is not None,
    )
    progress("tissue_segmentation", CLASSIFIED)
    tissue = tissue_regions(found.tissue, frame)
    provenance = {"class_provenance": tissue_provenance(tissue_model), "models": model_names(used)}
    publish_maps("tissue_segmentation", found.tissue, tissue, frame, outputs, parquet=True, more=provenance)
    progress("cell_classification", CLASSIFIED)
    _publish_cells(found, mpp, cell_provenance(told), used, outputs)
    progress("readout_generation", WRITTEN)
    _publish_readouts(item, found, quality, tissue, frame, used, warnings, outputs)
    progress("done", 1.0)


def _nuclei(
    given: InputFile, maps: TissueMaps, frame: MapFrame, settings: ModelSettings, progress: Progress
) -> SlideNuclei:
    model_mpp = open_nucleus_model(None, settings).mpp
    grid = TileGrid.over(frame.info.width_px, frame.info.height_px, frame.mpp, model_mpp)
    tiles = list(grid.tiles(maps.quality.labels, maps.cell_px))
    search = Search(given.path, frame.mpp, grid, maps.background)
    return find_slide_nuclei(
        search,
        tiles,
        min(MOST_PROCESSES, usable_cores()),
        lambda part: progress("find_nuclei", LOOKED + (SOUGHT - LOOKED) * part),
    )


def _publish_cells(
    found: SlideCells, mpp: float, provenance: Mapping[str, str], used: Sequence[UsedModel], outputs: Outputs
) -> None:
    metadata = {"polygon_mpp": mpp, "class_provenance": provenance, "models": model_names(used)}
    polygons = outputs.directory / "cell_classification_geojson_polygons.json"
    write_cell_geojson(polygons, found.cells)
    outputs.write("cell_classification:geojson_polygons", polygons, {"media_type": "application/geo+json", **metadata})
    columns = outputs.directory / "cell_classification_parquet_polygons.parquet"
    write_cell_parquet(columns, found.cells, mpp)
    outputs.write("cell_classification:parquet_polygons", columns, {"media_type": PARQUET, **metadata})


def _publish_readouts(
    item: Item,
    found: SlideCells,
    quality: list[ClassRegion],
    tissue: list[ClassRegion],
    frame: MapFrame,
    used: Sequence[UsedModel],
    warnings: Sequence[str],
    outputs: Outputs,
) -> None:
    cells, regions = found.cells, labelled(tissue, TISSUE)
    metadata = {"media_type": "text/csv", "warnings": list(warnings)}
    of_cells = outputs.directory / "readout_generation_cell_readouts.csv"
    write_cell_readouts(of_cells, cells)
    outputs.write("readout_generation:cell_readouts", of_cells, metadata)
    of_slide = outputs.directory / "readout_generation_slide_readouts.csv"
    values = slide_readouts(item.item_id, item.external_id, frame.mpp, cells, labelled(quality, TISSUE_QC), regions)
    write_slide_readouts(of_slide, values)
    outputs.write("readout_generation:slide_readouts", of_slide, metadata)
    extended = outputs.directory / "readout_generation_extended_readouts.csv"
    more = [*extended_readouts(frame.mpp, cells, regions, found.tissue, frame.cell_px), *model_readouts(used)]
    write_extended_readouts(extended, item.item_id, item.external_id, more)
    outputs.write("readout_generation:extended_readouts", extended, metadata)
