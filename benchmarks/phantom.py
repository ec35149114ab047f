"""A phantom of 40,000 x 40,000 px through test-app, in the process a worker would start."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from coverslip.slides.crc32c import crc32c_file
from coverslip.slides.phantom import PhantomOptions, write_phantom
from coverslip.worker.engines.messages import Job, JobInput
from coverslip.worker.engines.process import ApplicationProcess, Limits

_SIDE_PX = 40_000


def measure() -> Iterator[Figure]:
    """Seconds to write it and to process it, and the most memory the application held."""
    with tempfile.TemporaryDirectory() as folder:
        slide = Path(folder) / "phantom.tif"
        started = time.perf_counter()
        write_phantom(slide, PhantomOptions(width_px=_SIDE_PX, height_px=_SIDE_PX, seed=1))
        writing_s = time.perf_counter() - started
        size = f"phantom of {_SIDE_PX:,} x {_SIDE_PX:,} px"
        yield Figure(f"{size} written", f"{writing_s:.0f} s, {_SIDE_PX**2 / writing_s / 1e6:.0f} Mpx/s")
        seconds, memory_mb = asyncio.run(_process(slide, Path(folder)))
        yield Figure(f"{size} through test-app", f"{seconds:.0f} s, {memory_mb} MB", "<= 2 GB")


async def _process(slide: Path, folder: Path) -> tuple[float, int]:
    outputs = folder / "outputs"
    outputs.mkdir()
    metadata = {"checksum_base64_crc32c": crc32c_file(slide)}
    job = Job(
        application_id="test-app",
        version_number="1.0.0",
        item_id="phantom",
        external_id=slide.name,
        inputs={"whole_slide_image": JobInput(path=slide, metadata=metadata)},
        outputs_directory=outputs,
    )
    process = ApplicationProcess(job, Limits(memory_mb=16_000, time_s=3600), folder)
    started = time.perf_counter()
    last = None
    async for message in process.run():
        last = message
    assert last is not None
    assert last.kind == "completed", last
    return time.perf_counter() - started, process.peak_memory_mb
