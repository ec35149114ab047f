"""Where the files of a run go on disk. Names come from others, so none of them can lead out of the run's folder."""

import hashlib
import mimetypes
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coverslip.contract.artifacts import ArtifactOutput, OutputArtifactResultReadResponse
from coverslip.contract.items import ItemOutput, ItemResultReadResponse
from coverslip.platform.errors import ChecksumMissing

MAX_NAME_BYTES = 120
HASH_CHARS = 8

FILE_ENDINGS = {
    "application/geo+json": ".json",
    "application/json": ".json",
    "application/vnd.apache.parquet": ".parquet",
    "application/dicom": ".dcm",
    "application/zip": ".zip",
    "image/png": ".png",
    "image/tiff": ".tiff",
    "text/csv": ".csv",
}
UNKNOWN_ENDING = ".bin"

RESERVED_ON_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class PlannedFile:
    """An output file that can be downloaded now, and where it goes."""

    external_id: str
    name: str
    artifact_id: str
    path: Path
    checksum_base64_crc32c: str


def run_folder(base: Path, run_id: str, *, create_subdirectory_for_run: bool = True) -> Path:
    """The folder of a run below `base`."""
    return base / safe_name(run_id) if create_subdirectory_for_run else base


def planned_files(
    folder: Path, items: Sequence[ItemResultReadResponse], *, create_subdirectory_per_item: bool = True
) -> list[PlannedFile]:
    """The files of all finished items that can be downloaded, each with its own path below `folder`.

    The paths depend on the whole run's items, finished or not, so they stay the same while the run goes on.

    Raises
    ------
    ChecksumMissing
        If an artifact has no CRC-32C to check the download against.
    """
    folders = item_folders(item.external_id for item in items)
    plan: list[PlannedFile] = []
    taken: set[str] = set()
    for item in items:
        if item.output is not ItemOutput.FULL:
            continue
        for artifact in sorted(item.output_artifacts, key=lambda artifact: artifact.name):
            if artifact.output is not ArtifactOutput.AVAILABLE:
                continue
            item_name, file_name = folders[item.external_id], artifact_file_name(artifact)
            path = (
                folder / item_name / file_name if create_subdirectory_per_item else folder / f"{item_name}.{file_name}"
            )
            if _comparable(str(path)) in taken:
                path = path.with_stem(f"{path.stem}-{artifact.output_artifact_id}")
            taken.add(_comparable(str(path)))
            plan.append(
                PlannedFile(
                    item.external_id, artifact.name, str(artifact.output_artifact_id), path, _checksum(artifact)
                )
            )
    return plan


def item_folders(external_ids: Iterable[str]) -> dict[str, str]:
    """A folder name for each item: the stem of its external id, with a piece of its hash where two would be the same.

    "The same" disregards case and Unicode normalisation, as file systems of macOS and Windows do.
    """
    stems = {external_id: safe_name(_stem(external_id)) for external_id in external_ids}
    counts = Counter(_comparable(stem) for stem in stems.values())
    return {
        external_id: stem if counts[_comparable(stem)] == 1 else f"{stem}-{_digest(external_id)}"
        for external_id, stem in stems.items()
    }


def artifact_file_name(artifact: OutputArtifactResultReadResponse) -> str:
    """``tissue_qc:geojson_polygons`` of type application/geo+json becomes ``tissue_qc_geojson_polygons.json``."""
    metadata = artifact.metadata or {}
    return safe_name(artifact.name) + file_ending(str(metadata.get("media_type") or metadata.get("mime_type") or ""))


def file_ending(media_type: str) -> str:
    """The suffix for a media type, ``.bin`` for an unknown one."""
    return FILE_ENDINGS.get(media_type) or mimetypes.guess_extension(media_type) or UNKNOWN_ENDING


def safe_name(name: str) -> str:
    """`name` as the name of one file or folder on any system: no separators, no control characters, not too long."""
    visible = "".join("_" if unicodedata.category(char).startswith("C") else char for char in name)
    cleaned = re.sub(r'[<>:"/\\|?*]', "_", visible).strip(". ") or "item"
    if RESERVED_ON_WINDOWS.match(cleaned):
        cleaned = f"_{cleaned}"
    encoded = cleaned.encode()
    if len(encoded) <= MAX_NAME_BYTES:
        return cleaned
    return f"{encoded[: MAX_NAME_BYTES - HASH_CHARS - 1].decode(errors='ignore')}-{_digest(name)}"


def _stem(external_id: str) -> str:
    """The last part of a path of any system, or of a URL, without its suffix."""
    return PurePosixPath(external_id.replace("\\", "/")).stem


def _comparable(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARS]


def _checksum(artifact: OutputArtifactResultReadResponse) -> str:
    metadata = artifact.metadata or {}
    checksum = metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c")
    if not isinstance(checksum, str):
        raise ChecksumMissing(name=artifact.name)
    return checksum
