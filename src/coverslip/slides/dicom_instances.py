"""Which files form a DICOM slide, from their headers alone (PS3.3 A.32.8, VL Whole Slide Microscopy Image).

A slide is a series of instances: VOLUME images, one for each level of the pyramid, and further images of the same
glass: THUMBNAIL, LABEL and OVERVIEW.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverslip.slides.errors import NotASlide, NotAVolume, SlideError, SlideTruncated, SlideUnreadable
from coverslip.slides.limits import check_level

PREAMBLE_BYTES = 128
"""A DICOM file has 128 bytes of anything, then the letters DICM (PS3.10 section 7.1)."""
WHOLE_SLIDE_MICROSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.6"
DEFLATED = "1.2.840.10008.1.2.1.99"
"""The only transfer syntax that compresses the header too, and by any factor; no scanner writes it."""
LAST_TAG = 0x00480303
"""TotalPixelMatrixFocalPlanes, after which nothing is needed and the large sequences begin."""
FRAME_HEADER_BYTES = 8
"""Tag and length before each frame of encapsulated pixel data (PS3.5 A.4)."""
END_OF_FRAMES = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
"""The sequence delimitation item that ends encapsulated pixel data (PS3.5 A.4)."""
SEARCHED_BYTES = 2**20
"""Read at once on the way back from the end of a file: padding may follow the frames, some MB where the file is a TIFF
at the same time (PS3.10 section 7.1 leaves room for that)."""


@dataclass(frozen=True)
class Instance:
    """The header of one whole slide microscopy file, as it claims and unchecked."""

    path: Path
    uid: str
    image_type: str
    series: str
    pyramid: str
    width_px: int
    height_px: int
    tile_width_px: int
    tile_height_px: int
    frames: int
    focal_planes: int
    every_tile: bool
    samples_per_pixel: int
    bits: int
    concatenation: str
    transfer_syntax: str
    encapsulated: bool
    imaged_width_mm: float | None
    imaged_height_mm: float | None
    objective_power: float | None

    @property
    def slide(self) -> str:
        """What all levels of a pyramid have in common; older files name no pyramid."""
        return self.pyramid or self.series


def is_dicom(path: Path) -> bool:
    """Whether a file starts as a DICOM file does."""
    with path.open("rb") as file:
        return file.read(PREAMBLE_BYTES + 4)[PREAMBLE_BYTES:] == b"DICM"


def read_instance(path: Path) -> Instance:
    """Read the header of a DICOM file.

    Raises
    ------
    NotASlide
        If it holds something else than a whole slide microscopy image.
    SlideUnreadable
        If it cannot be parsed.
    """
    # pydicom takes a third of a second to import, which whoever opens no DICOM file should not pay.
    from pydicom.filereader import read_file_meta_info, read_partial

    try:
        syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
        if syntax == DEFLATED:
            raise NotASlide(name=path.name, reason="its whole data set is compressed")
        with path.open("rb") as file:
            header = read_partial(file, stop_when=lambda tag, _vr, _length: tag > LAST_TAG)
        found = str(header.get("SOPClassUID", ""))
        if found != WHOLE_SLIDE_MICROSCOPY:
            name = getattr(header.get("SOPClassUID"), "name", "") or "unknown object"
            raise NotASlide(name=path.name, reason=f"it is a DICOM {name}")
        return _instance(path, syntax, header)
    except (SlideError, OSError):
        raise
    except Exception as error:  # a damaged header may raise anything while it is parsed
        raise SlideUnreadable(name=path.name, place="its header", reason=str(error) or repr(error)) from error


def check_instance(instance: Instance) -> None:
    """Weigh the sizes that a header claims, and whether the file has all its frames.

    Raises
    ------
    NotASlide
        If it has other pixels than 8 bit grey or RGB.
    SlideUnreadable, SlideImplausible
        If its sizes cannot be.
    SlideTruncated
        If the file is too short.
    """
    name, size_bytes = instance.path.name, instance.path.stat().st_size
    tile_px = instance.tile_width_px, instance.tile_height_px
    tiles = check_level(name, "its header", instance.width_px, instance.height_px, *tile_px)
    if instance.every_tile and not instance.concatenation and instance.frames < tiles:
        raise SlideUnreadable(name=name, place="its header", reason=f"it has {instance.frames:,} of {tiles:,} tiles")
    if instance.bits != 8 or instance.samples_per_pixel not in (1, 3):
        raise NotASlide(name=name, reason="it has other pixels than 8 bit grey or RGB")
    if not 1 <= instance.focal_planes <= instance.frames:
        reason = f"it has {instance.frames} frames in {instance.focal_planes} focal planes"
        raise SlideUnreadable(name=name, place="its header", reason=reason)
    frame_bytes = FRAME_HEADER_BYTES if instance.encapsulated else tile_px[0] * tile_px[1] * instance.samples_per_pixel
    needed_bytes = instance.frames * frame_bytes
    if needed_bytes > size_bytes:
        evidence = f"its {instance.frames:,} frames need {needed_bytes:,} bytes but it has only {size_bytes:,}"
        raise SlideTruncated(name=name, evidence=evidence)
    if instance.encapsulated and not _has_end_of_frames(instance.path, size_bytes):
        raise SlideTruncated(name=name, evidence="the mark at the end of its frames is missing")


def slide_of(path: Path, series: bool) -> list[Instance]:
    """The instances of the slide that a DICOM file belongs to: volumes, the largest first, then its other images.

    With ``series`` they are looked for in the same folder, among files of any name; otherwise the file stands alone.

    Raises
    ------
    NotAVolume
        If ``path`` itself is a thumbnail, label or overview.
    SlideError
        See `read_instance`; other files that it cannot read are passed over.
    """
    own = read_instance(path)
    if own.image_type != "VOLUME":
        raise NotAVolume(name=path.name, image_type=own.image_type)
    others = [file for file in path.parent.iterdir() if file != path] if series else []
    return _of_slide([own, *_readable(others)[0]], own)


def slide_in(folder: Path, name: str) -> list[Instance]:
    """The instances of the one slide that lies in a folder; see `slide_of`. ``name`` is that of the folder in errors.

    Raises
    ------
    NotASlide
        If there is none, or more than one.
    SlideError
        If there is none, and a file cannot be read: why.
    """
    found, refused = _readable(folder.iterdir())
    volumes = {instance.slide: instance for instance in found if instance.image_type == "VOLUME"}
    if refused and not volumes:
        raise refused[0]
    if not volumes:
        raise NotASlide(name=name, reason="it holds no DICOM whole slide image")
    if len(volumes) > 1:
        raise NotASlide(name=name, reason=f"it holds {len(volumes)} DICOM slides; choose one of them")
    return _of_slide(found, next(iter(volumes.values())))


def one_file_each(paths: Iterable[Path]) -> list[Path]:
    """Of DICOM files, keep for each slide the one that stands for it: its largest volume.

    Files of a slide whose volume is among ``paths`` are left out. Others stay, and so do those that cannot be read, for
    whoever opens them to say why.
    """
    instances, kept = [], []
    for path in paths:
        try:
            instances.append(read_instance(path))
        except (SlideError, OSError):
            kept.append(path)
    largest: dict[str, Instance] = {}
    for instance in sorted(instances, key=_largest_first):
        if instance.image_type == "VOLUME":
            largest.setdefault(instance.slide, instance)
    kept += [instance.path for instance in largest.values()]
    series = {instance.series for instance in largest.values()}
    kept += [i.path for i in instances if i.image_type != "VOLUME" and i.series not in series]
    return sorted(kept)


def _instance(path: Path, syntax: str, header: Any) -> Instance:
    from pydicom.uid import UID

    def number(keyword: str, element: Any = header) -> float | None:
        value = element.get(keyword)
        return None if value is None else float(value)

    optical_paths = header.get("OpticalPathSequence") or [{}]
    image_type = [str(value) for value in header.ImageType]
    return Instance(
        path=path,
        uid=str(header.SOPInstanceUID),
        image_type=image_type[2] if len(image_type) > 2 else "UNKNOWN",
        series=str(header.SeriesInstanceUID),
        pyramid=str(header.get("PyramidUID") or ""),
        width_px=int(header.TotalPixelMatrixColumns),
        height_px=int(header.TotalPixelMatrixRows),
        tile_width_px=int(header.Columns),
        tile_height_px=int(header.Rows),
        frames=int(header.get("NumberOfFrames", 1)),
        focal_planes=int(header.get("TotalPixelMatrixFocalPlanes", 1)),
        every_tile=header.get("DimensionOrganizationType") == "TILED_FULL",
        samples_per_pixel=int(header.SamplesPerPixel),
        bits=int(header.BitsAllocated),
        concatenation=str(header.get("ConcatenationUID") or ""),
        transfer_syntax=syntax,
        encapsulated=UID(syntax).is_encapsulated,
        imaged_width_mm=number("ImagedVolumeWidth"),
        imaged_height_mm=number("ImagedVolumeHeight"),
        objective_power=number("ObjectiveLensPower", optical_paths[0]),
    )


def _has_end_of_frames(path: Path, size_bytes: int) -> bool:
    with path.open("rb") as file:
        for start in range(size_bytes - SEARCHED_BYTES, -SEARCHED_BYTES, -SEARCHED_BYTES):
            file.seek(max(0, start))
            # Pieces overlap by the mark, which may lie across their border.
            if END_OF_FRAMES in file.read(SEARCHED_BYTES + len(END_OF_FRAMES)):
                return True
    return False


def _readable(paths: Iterable[Path]) -> tuple[list[Instance], list[SlideError]]:
    found, refused = [], []
    for path in sorted(paths):
        try:
            if path.is_file() and is_dicom(path):
                found.append(read_instance(path))
        except SlideError as error:
            refused.append(error)
        except OSError:
            continue
    return found, refused


def _of_slide(instances: Iterable[Instance], one: Instance) -> list[Instance]:
    # A file and its copy are one instance; the file that was asked for stands for both.
    instances = list({instance.uid: instance for instance in [*instances, one]}.values())
    volumes = [i for i in instances if i.image_type == "VOLUME" and i.slide == one.slide]
    for volume in volumes:
        check_instance(volume)
        _check_concatenation(volume, volumes)
    others = [i for i in instances if i.image_type != "VOLUME" and i.series == one.series]
    return sorted(volumes, key=_largest_first) + others


def _check_concatenation(part: Instance, volumes: Iterable[Instance]) -> None:
    """An image of many frames may be cut into several files, a concatenation (PS3.3 C.7.6.16.2.2.4)."""
    if not part.concatenation:
        return
    frames = sum(other.frames for other in volumes if other.concatenation == part.concatenation)
    tiles = -(-part.width_px // part.tile_width_px) * -(-part.height_px // part.tile_height_px)
    if frames < tiles * part.every_tile or frames == part.frames:
        reason = (
            "it is one of several files that make up an image, and the others are missing; give their folder or ZIP"
        )
        raise NotASlide(name=part.path.name, reason=reason)


def _largest_first(instance: Instance) -> tuple[int, int, str]:
    return -instance.width_px * instance.height_px, instance.width_px, str(instance.path)
