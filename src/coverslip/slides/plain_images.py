"""Plain images beside slides: fields of view in colour, and label images with a number per nucleus."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from coverslip.slides.errors import ImageUnreadable, NotALabelImage, SlideInaccessible, SlideMissing, TooManyLabels

MOST_LABELS_OF_PNG = 65_535
TIFF_SUFFIXES = (".tif", ".tiff")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image as uint8 (h, w, 3); what is transparent becomes white.

    Raises
    ------
    SlideMissing, SlideInaccessible
        If there is no such file, or it may not be read.
    ImageUnreadable
        If it is no image that can be decoded, or has more than 178 million pixels.
    """
    with _opened(path) as image:
        try:
            rgba = image.convert("RGBA")
            return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise ImageUnreadable(name=path, reason=error) from error


def read_labels(path: Path) -> NDArray[np.int32]:
    """Read a label image, PNG or TIFF with one channel of whole numbers, as int32 (h, w).

    Raises
    ------
    SlideMissing, SlideInaccessible
        If there is no such file, or it may not be read.
    NotALabelImage
        If it cannot be decoded, or is no image of whole numbers.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            values: NDArray[Any] = tifffile.imread(path, key=0)
        else:
            with _opened(path) as image:
                values = np.asarray(image)
    except FileNotFoundError:
        raise SlideMissing(name=path) from None
    except (OSError, SyntaxError, ValueError, IndexError, ImageUnreadable) as error:
        raise NotALabelImage(name=path, reason=error) from error
    if values.ndim != 2 or values.dtype.kind not in "biu":
        raise NotALabelImage(name=path, reason=f"it holds {values.dtype} of shape {values.shape}")
    return values.astype(np.int32)


def write_labels(path: Path, labels: NDArray[np.int32]) -> None:
    """Write a label image (h, w): PNG with 16 bits, or TIFF with 32 bits where the name ends in .tif or .tiff.

    Raises
    ------
    TooManyLabels
        If it is to be a PNG and a label is above 65,535.
    OSError
        If the file cannot be written.
    """
    if path.suffix.lower() in TIFF_SUFFIXES:
        tifffile.imwrite(path, labels.astype(np.uint32), compression="deflate")
        return
    highest = int(labels.max(initial=0))
    if highest > MOST_LABELS_OF_PNG:
        raise TooManyLabels(name=path, labels=f"{highest:,}", limit=f"{MOST_LABELS_OF_PNG:,}")
    Image.fromarray(labels.astype(np.uint16)).save(path, format="PNG")


def write_mask(path: Path, classes: NDArray[np.uint8]) -> None:
    """Write a map of classes (h, w) as PNG with 8 bits.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    Image.fromarray(classes).save(path, format="PNG")


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise SlideMissing(name=path) from None
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise ImageUnreadable(name=path, reason=error) from error
    except OSError as error:
        raise SlideInaccessible(name=path, reason=error.strerror or error) from error
