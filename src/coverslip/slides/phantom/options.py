"""What a phantom slide is asked to be, and what was written."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coverslip.slides.phantom.errors import PhantomOptionInvalid

LEAST_PX, MOST_PX = 512, 100_000
RESOLUTIONS_MPP = (0.25, 0.5)


class PenColor(StrEnum):
    """Colours of the pen stroke."""

    GREEN = "green"
    BLUE = "blue"
    BLACK = "black"
    RED = "red"


@dataclass(frozen=True)
class PhantomOptions:
    """A phantom slide. Its pixels depend on these alone.

    Attributes
    ----------
    width_px, height_px
        Size of level 0, `LEAST_PX` to `MOST_PX`.
    mpp
        Micrometres per pixel: 0.25 or 0.5. The tissue of a seed is the same at both, if the slide is as large.
    seed
        Chooses the tissue, the stain and where the defects lie; 0 to 2^32 - 1.
    pen_mark, blur_patch, fold, bubble
        Whether the slide has a pen stroke, a patch out of focus, a folded band of tissue, and an air bubble with the
        edge of a coverslip. Dust is always there.
    pen_color
        Colour of the pen; None lets the seed choose green, blue or black.
    """

    width_px: int = 8192
    height_px: int = 8192
    mpp: float = 0.5
    seed: int = 1
    pen_mark: bool = True
    blur_patch: bool = True
    fold: bool = True
    bubble: bool = True
    pen_color: PenColor | None = None

    def __post_init__(self) -> None:
        for option, value in (("width_px", self.width_px), ("height_px", self.height_px)):
            if not LEAST_PX <= value <= MOST_PX:
                raise PhantomOptionInvalid(option=option, value=value, allowed=f"{LEAST_PX} to {MOST_PX}")
        if self.mpp not in RESOLUTIONS_MPP:
            raise PhantomOptionInvalid(option="mpp", value=self.mpp, allowed="0.25 or 0.5")
        if not 0 <= self.seed < 2**32:
            raise PhantomOptionInvalid(option="seed", value=self.seed, allowed="0 to 4294967295")

    @property
    def size_um(self) -> tuple[float, float]:
        """Width and height in µm."""
        return self.width_px * self.mpp, self.height_px * self.mpp


@dataclass(frozen=True)
class PhantomTruth:
    """The files of a phantom slide and what is in them.

    Attributes
    ----------
    slide
        The pyramidal TIFF.
    regions
        GeoJSON: polygons of tissue quality and tissue classes in level-0 pixels.
    nuclei
        One GeoJSON feature a line: the outline of each nucleus in level-0 pixels, with its class.
    tissue_qc, tissue
        Label maps as palette TIFF, one pixel per ``label_px`` level-0 pixels and axis; the labels are those of the
        vocabularies tissue quality (Tissue Artifact 1, No Tissue 2, Marker 3, Out of Focus 4, Valid Tissue 5) and
        tissue (Carcinoma 1, Epithelial Tissue 2, Necrosis 3, Stroma 4, Other 5, Blood 6, Vessel 7; 0 outside tissue).
    label_px
        Level-0 pixels per map pixel and axis.
    nucleus_count
        Nuclei by class.
    """

    slide: Path
    regions: Path
    nuclei: Path
    tissue_qc: Path
    tissue: Path
    label_px: int
    nucleus_count: dict[str, int]
