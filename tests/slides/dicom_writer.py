"""Write DICOM whole slide images for tests, as small as PS3.3 A.32.8 allows."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, generate_uid

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"
TILE_PX = 256
SYNTAXES = {"jpeg": JPEGBaseline8Bit, "jpeg2000": JPEG2000Lossless, "none": ExplicitVRLittleEndian}


def new_series() -> str:
    """A UID short enough for the others of an instance to be made from it."""
    return f"2.25.{uuid.uuid4().int >> 64}"


def tiles_of(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The tiles of an image row by row, padded with white."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % TILE_PX), (0, -width % TILE_PX), (0, 0)), constant_values=255)
    rows, columns = padded.shape[0] // TILE_PX, padded.shape[1] // TILE_PX
    grid = padded.reshape(rows, TILE_PX, columns, TILE_PX, 3).swapaxes(1, 2)
    return list(grid.reshape(-1, TILE_PX, TILE_PX, 3))


def encode(tile: NDArray[np.uint8], compression: str) -> bytes:
    if compression == "jpeg":
        return bytes(imagecodecs.jpeg8_encode(tile, level=90))
    if compression == "jpeg2000":
        return bytes(imagecodecs.jpeg2k_encode(tile, level=0, codecformat="J2K", mct=True))
    return tile.tobytes()


def instance(
    pixels: NDArray[np.uint8],
    mpp: float,
    series: str,
    *,
    compression: str = "jpeg",
    flavour: str = "VOLUME",
    frames: list[bytes] | None = None,
    positions: list[tuple[int, int]] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Dataset:
    """An instance of ``pixels`` at ``mpp`` µm per pixel; ``positions`` (column, row of tiles) make it TILED_SPARSE."""
    height, width = pixels.shape[:2]
    frames = frames or [encode(tile, compression) for tile in tiles_of(pixels)]
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = SOP_CLASS
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.file_meta.TransferSyntaxUID = SYNTAXES[compression]
    file.ImageType = ["DERIVED", "PRIMARY", flavour, "RESAMPLED"]
    file.Modality, file.PatientID, file.StudyInstanceUID = "SM", "test", "2.25.1"
    file.SeriesInstanceUID, file.FrameOfReferenceUID, file.PyramidUID = series, f"{series}.1", f"{series}.2"
    file.ContainerIdentifier = "glass"
    file.SamplesPerPixel, file.PlanarConfiguration, file.PixelRepresentation = 3, 0, 0
    file.PhotometricInterpretation = {"jpeg": "YBR_FULL_422", "jpeg2000": "YBR_RCT", "none": "RGB"}[compression]
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit = 7
    file.Rows = file.Columns = TILE_PX
    file.NumberOfFrames = len(frames)
    file.TotalPixelMatrixColumns, file.TotalPixelMatrixRows = width, height
    file.TotalPixelMatrixFocalPlanes = 1
    file.ImagedVolumeWidth, file.ImagedVolumeHeight = width * mpp / 1000, height * mpp / 1000
    file.ImagedVolumeDepth = 1.0
    file.VolumetricProperties, file.SpecimenLabelInImage, file.FocusMethod = "VOLUME", "NO", "AUTO"
    file.ExtendedDepthOfField, file.LossyImageCompression, file.BurnedInAnnotation = "NO", "00", "NO"
    file.ImageOrientationSlide = [0, 1, 0, 1, 0, 0]
    file.TotalPixelMatrixOriginSequence = [
        _dataset(XOffsetInSlideCoordinateSystem=0.0, YOffsetInSlideCoordinateSystem=0.0)
    ]
    file.OpticalPathSequence = [_dataset(OpticalPathIdentifier="0", ObjectiveLensPower=20)]
    spacing = _dataset(PixelSpacing=[mpp / 1000, mpp / 1000], SliceThickness=0.001)
    file.SharedFunctionalGroupsSequence = [_dataset(PixelMeasuresSequence=[spacing])]
    file.DimensionOrganizationType = "TILED_FULL"
    if positions is not None:
        file.DimensionOrganizationType = "TILED_SPARSE"
        file.PerFrameFunctionalGroupsSequence = [_placed(column, row) for column, row in positions]
    for keyword, value in (tags or {}).items():
        setattr(file, keyword, value)
    encapsulated = compression != "none"
    file.PixelData = encapsulate(frames) if encapsulated else b"".join(frames)
    file["PixelData"].VR = "OB"
    file["PixelData"].is_undefined_length = encapsulated
    return file


def write(path: Path, file: Dataset) -> Path:
    file.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, levels: list[NDArray[np.uint8]], mpp: float, compression: str = "jpeg") -> list[Path]:
    """The levels of a pyramid and a thumbnail, label and overview: one file each, named so that none stands out."""
    series = new_series()
    folder.mkdir(parents=True, exist_ok=True)
    files = [
        instance(level, mpp * levels[0].shape[1] / level.shape[1], series, compression=compression) for level in levels
    ]
    small = levels[-1]
    files += [instance(small, 8.0, series, flavour=flavour) for flavour in ("THUMBNAIL", "LABEL", "OVERVIEW")]
    return [write(folder / f"{(7 * number + 3) % 11:02}.dcm", file) for number, file in enumerate(files)]


def _dataset(**tags: Any) -> Dataset:
    made = Dataset()
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def _placed(column: int, row: int) -> Dataset:
    place = _dataset(
        ColumnPositionInTotalImagePixelMatrix=column * TILE_PX + 1,
        RowPositionInTotalImagePixelMatrix=row * TILE_PX + 1,
        XOffsetInSlideCoordinateSystem=0.0,
        YOffsetInSlideCoordinateSystem=0.0,
        ZOffsetInSlideCoordinateSystem=0.0,
    )
    return _dataset(PlanePositionSlideSequence=[place])
