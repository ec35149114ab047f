"""The media type of a slide file, as the published client tells it: by suffix alone."""

from pathlib import Path

BY_SUFFIX = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".dcm": "application/dicom",
    ".zip": "application/zip",
}


def media_type_of(path: Path | str) -> str:
    """The media type by the suffix of ``path``; ``application/octet-stream`` for all vendor formats."""
    return BY_SUFFIX.get(Path(path).suffix.lower(), "application/octet-stream")
