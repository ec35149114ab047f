"""H&E TME on a small slide and on a mosaic of real tiles, in the process a worker would start, beside scikit-image."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.figure import Figure
from benchmarks.running import SAMPLE
from benchmarks.scikit_nuclei import nuclei_by_scikit_image
from coverslip.models.nucleus_models import open_nucleus_model
from coverslip.models.settings import ModelSettings
from coverslip.pathology.nuclei.classical import segment_classically
from coverslip.pathology.nuclei.measuring import measure_nuclei
from coverslip.slides import open_slide
from coverslip.slides.crc32c import crc32c_file
from coverslip.worker.engines.messages import Job, JobInput
from coverslip.worker.engines.process import ApplicationProcess, Limits

MOSAIC_PX = 40_000
TILE_PX, TILE_MPP = 1024, 0.5
TILE_UM2 = (TILE_PX * TILE_MPP) ** 2
GRAIN_PX = 512


def measure() -> Iterator[Figure]:
    """Seconds per stage and per tile of tissue, the most memory held, and what scikit-image takes for nuclei alone."""
    with open_slide(SAMPLE) as slide:
        pixels = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    yield _nuclei_of_a_tile(np.ascontiguousarray(pixels[800 : 800 + TILE_PX, 900 : 900 + TILE_PX]))
    with tempfile.TemporaryDirectory() as folder:
        mosaic = Path(folder) / "mosaic.tif"
        _write_mosaic(mosaic, pixels)
        for name, path in (("CMU-1-Small-Region", SAMPLE), (f"mosaic of {MOSAIC_PX:,} x {MOSAIC_PX:,} px", mosaic)):
            run = asyncio.run(_processed(path, Path(folder) / path.stem))
            stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in run.stages.items() if seconds >= 0.05)
            yield Figure(
                f"he-tme, {name}",
                f"{run.total_s:.0f} s, {run.total_s / run.tiles:.2f} s per 1024 px tile of tissue ({run.tiles:.0f}), "
                f"{run.memory_mb} MB",
                "<= 0.8 s per tile on 2 cores, <= 2 GB",
            )
            yield Figure(f"he-tme, {name}, by stage", stages)


@dataclass(frozen=True)
class _Run:
    total_s: float
    stages: dict[str, float]
    memory_mb: int
    tiles: float


async def _processed(slide: Path, folder: Path) -> _Run:
    outputs = folder / "outputs"
    outputs.mkdir(parents=True)
    metadata = {
        "checksum_base64_crc32c": crc32c_file(slide),
        "staining_method": "H&E",
        "specimen": {"disease": "OTHER", "tissue": "OTHER"},
    }
    job = Job(
        application_id="he-tme",
        version_number="1.3.0",
        item_id="00000000-0000-0000-0000-000000000000",
        external_id=slide.name,
        inputs={"whole_slide_image": JobInput(path=slide, metadata=metadata)},
        outputs_directory=outputs,
    )
    process = ApplicationProcess(job, Limits(memory_mb=16_000, time_s=7200), folder)
    started = time.perf_counter()
    stages: dict[str, float] = {}
    stage, since, last = "start", started, None
    async for message in process.run():
        last = message
        if message.kind == "progress" and message.stage != stage:
            now = time.perf_counter()
            stages[stage] = stages.get(stage, 0) + now - since
            stage, since = message.stage, now
    assert last is not None
    assert last.kind == "completed", last
    total_s = time.perf_counter() - started
    valid_um2 = _valid_tissue_um2(outputs / "tissue_qc_csv_class_information.csv")
    return _Run(total_s, stages, process.peak_memory_mb, valid_um2 / TILE_UM2)


def _valid_tissue_um2(table: Path) -> float:
    (row,) = (line for line in table.read_text().splitlines() if line.startswith("Valid Tissue,"))
    return float(row.split(",")[1])


def _write_mosaic(path: Path, pixels: NDArray[np.uint8]) -> None:
    """The slide's pixels side by side in all eight orientations, as a tiled JPEG TIFF of 0.499 µm per pixel."""
    side = min(pixels.shape[:2]) // GRAIN_PX * GRAIN_PX
    square = pixels[:side, :side]
    views = [np.rot90(square[:, ::flip], turn) for flip in (1, -1) for turn in range(4)]
    grains = side // GRAIN_PX

    def tiles() -> Iterator[NDArray[np.uint8]]:
        for row in range(-(-MOSAIC_PX // GRAIN_PX)):
            for column in range(-(-MOSAIC_PX // GRAIN_PX)):
                view = views[(row // grains * 3 + column // grains) % len(views)]
                top, left = row % grains * GRAIN_PX, column % grains * GRAIN_PX
                yield np.ascontiguousarray(view[top : top + GRAIN_PX, left : left + GRAIN_PX])

    per_cm = 1e4 / 0.499
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(
            tiles(),
            shape=(MOSAIC_PX, MOSAIC_PX, 3),
            dtype=np.uint8,
            tile=(GRAIN_PX, GRAIN_PX),
            photometric="rgb",
            compression="jpeg",
            compressionargs={"level": 85},
            resolution=(per_cm, per_cm),
            resolutionunit="CENTIMETER",
        )


def _nuclei_of_a_tile(tile: NDArray[np.uint8]) -> Figure:
    """Nuclei found, outlined and measured: the classical algorithm twice, and the network; all on one core."""
    cv2.setNumThreads(1)
    model = open_nucleus_model(None, ModelSettings(model_threads=1))
    glass = (243.0, 243.0, 243.0)
    peer_s = _seconds(lambda: nuclei_by_scikit_image(tile, TILE_MPP))
    same_s = _seconds(lambda: measure_nuclei(tile, segment_classically(tile, TILE_MPP), TILE_MPP, glass))
    network_s = _seconds(lambda: measure_nuclei(tile, model.segment(tile), TILE_MPP, glass))
    return Figure(
        f"he-tme, nuclei of a {TILE_PX} px tile on one core",
        f"classical method {same_s:.2f} s, {peer_s / same_s:.1f} times as fast as the peer; network {network_s:.2f} s, "
        f"{peer_s / network_s:.1f} times",
        peer=f"the classical method written with scikit-image: {peer_s:.2f} s",
    )


def _seconds(work: Callable[[], object]) -> float:
    """The least of three times."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
