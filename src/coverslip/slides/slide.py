"""The one interface through which Coverslip reads whole slide images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Level:
    """One level of the pyramid; ``downsample`` is level-0 pixels per pixel of this level (1.0 for level 0)."""

    width_px: int
    height_px: int
    downsample: float


@dataclass(frozen=True)
class SlideInfo:
    """What a slide says about itself, whatever reader opened it and wherever it lies.

    ``mpp_x`` and ``mpp_y`` are micrometres per level-0 pixel, None where the file does not say. ``reader`` names the
    decoding software with its version: decoders differ in the last bit, so results record it. ``mpp_sources`` maps each
    place of the file that states a resolution to it, and ``warnings`` are sentences about what is odd, such as sources
    that contradict each other.
    """

    width_px: int
    height_px: int
    levels: tuple[Level, ...]
    mpp_x: float | None
    mpp_y: float | None
    objective_power: float | None
    vendor: str
    media_type: str
    reader: str
    associated_images: tuple[str, ...]
    mpp_sources: Mapping[str, float]
    warnings: tuple[str, ...]

    @property
    def mpp(self) -> float | None:
        """Micrometres per level-0 pixel, the mean of both axes; None where the file does not say."""
        if self.mpp_x is None or self.mpp_y is None:
            return None
        return (self.mpp_x + self.mpp_y) / 2


class Slide(ABC):
    """An open slide; a context manager. Reading is thread-safe."""

    info: SlideInfo

    @abstractmethod
    def read_region(self, x_px: int, y_px: int, level: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Read a window.

        Parameters
        ----------
        x_px, y_px
            Upper left corner in level-0 pixels; may lie outside the slide. On a lower level the window starts at the
            nearest pixel of that level.
        level
            0 is the full resolution.
        width_px, height_px
            Size of the window in pixels of ``level``, each at least 1.

        Returns
        -------
        uint8 array (height_px, width_px, 3), RGB. Whatever lies outside the slide, or is transparent, is white.

        Raises
        ------
        SlideUnreadable
            Where the file is damaged; it names the place.
        ValueError
            For a level the slide does not have or an empty window.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the file back; reading afterwards is an error of the caller."""

    def thumbnail(self, max_px: int) -> NDArray[np.uint8]:
        """The whole slide, RGB (h, w, 3), its longer side ``max_px`` (or the slide's, if that is smaller)."""
        from coverslip.slides.resampling import read_downsampled

        downsample = max(1.0, max(self.info.width_px, self.info.height_px) / max_px)
        return read_downsampled(self, 0, 0, self.info.width_px, self.info.height_px, downsample)

    def _check_window(self, level: int, width_px: int, height_px: int) -> Level:
        if not 0 <= level < len(self.info.levels):
            raise ValueError(f"level {level}: the slide has levels 0 to {len(self.info.levels) - 1}")
        if width_px < 1 or height_px < 1:
            raise ValueError(f"an empty window of {width_px} x {height_px} px")
        return self.info.levels[level]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
