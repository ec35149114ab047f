"""Opens the slides that it is told of, one a line, in a process whose death and memory can be watched.

Answers each with a line: the name of a `SlideError` or ``fine``, and the most memory it used meanwhile in MiB. Whatever
else is raised ends it with a traceback, and a fault in native code with the stack that led there.
"""

import faulthandler
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import openslide
import tifffile
import wsidicom

from coverslip.slides import inspect, open_slide
from coverslip.slides.errors import SlideError

LOADED = imagecodecs, np, openslide, tifffile, wsidicom
"""Imported first, so that memory is compared with what they take."""


def use(path: str) -> str:
    """Do with a slide what an application does."""
    try:
        inspect(path)
        with open_slide(path) as slide:
            for number, level in enumerate(slide.info.levels):
                window = slide.read_region(-10, -10, number, min(600, level.width_px), min(600, level.height_px))
                assert window.dtype == np.uint8
                assert window.shape[2] == 3
            if slide.info.width_px * slide.info.height_px < 2**26:  # a large one that is sound takes its time
                thumbnail = slide.thumbnail(64)
                assert max(thumbnail.shape) == min(64, max(slide.info.width_px, slide.info.height_px))
    except SlideError as error:
        return type(error).__name__
    return "fine"


def peak_mib() -> int:
    """The most memory in use since the last call, as Linux counts it."""
    status = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")  # begins to count anew, see proc(5)
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


if __name__ == "__main__":
    faulthandler.enable()
    peak_mib()
    print("ready", peak_mib(), flush=True)
    for line in sys.stdin:
        print(use(line.rstrip("\n")), peak_mib(), flush=True)
