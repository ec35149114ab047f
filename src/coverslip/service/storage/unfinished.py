"""Multipart uploads that nobody will complete, because the service was killed while it wrote an object.

A bucket keeps them, and their owner pays for them, but they are not among its objects.

Source: "ListMultipartUploads" and "AbortMultipartUpload" of the Amazon S3 API reference; the XML API of Cloud Storage
has both under the same names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

import httpx

from coverslip.service.storage.query_signing import QuerySigner

_URL_LIFETIME_S = 60
_PATIENCE_S = 30
_PAGE = 1000


@dataclass(frozen=True)
class MultipartUpload:
    """An upload that somebody has begun."""

    path: str
    upload_id: str
    begun_at: datetime


def unfinished_uploads(signer: QuerySigner) -> Iterator[MultipartUpload]:
    """Every unfinished upload of the bucket.

    Not of a prefix: some stores heed none, and MinIO names no upload then, unless it is a whole path.

    Raises
    ------
    httpx.TransportError
        If the store does not answer.
    ValueError
        If it refuses, or answers something else.
    """
    marker: dict[str, str] | None = {}
    while marker is not None:
        page = _ask(signer, "GET", "", {"uploads": "", "max-uploads": str(_PAGE)} | marker).content
        try:
            root = ElementTree.fromstring(page)  # noqa: S314  # the operator's own store wrote it
        except ElementTree.ParseError as error:
            raise ValueError(f"its list of unfinished uploads cannot be read: {error}") from error
        for upload in root.iterfind("{*}Upload"):
            begun_at = datetime.fromisoformat(_text(upload, "Initiated"))
            yield MultipartUpload(_text(upload, "Key"), _text(upload, "UploadId"), begun_at)
        following = {"key-marker": _text(root, "NextKeyMarker"), "upload-id-marker": _text(root, "NextUploadIdMarker")}
        marker = following if _text(root, "IsTruncated") == "true" and following != marker else None


def abort_unfinished_uploads(signer: QuerySigner, prefixes: tuple[str, ...], begun_before: datetime) -> None:
    """Have the store forget those whose path starts with one of ``prefixes`` and that were begun before a time.

    Raises
    ------
    httpx.TransportError, ValueError
        As by `unfinished_uploads`.
    """
    # All are read before the first is aborted, which would shift the pages.
    for upload in list(unfinished_uploads(signer)):
        if upload.path.startswith(prefixes) and upload.begun_at < begun_before:
            _ask(signer, "DELETE", upload.path, {"uploadId": upload.upload_id})


def _ask(signer: QuerySigner, method: str, path: str, parameters: dict[str, str]) -> httpx.Response:
    url = signer.sign(method, path, expires_in_s=_URL_LIFETIME_S, parameters=parameters)
    answer = httpx.request(method, url, timeout=_PATIENCE_S)
    if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:  # gone already
        # Not the client's own error: its text quotes the signed URL.
        raise ValueError(f"it answered {answer.status_code} to {method} of unfinished uploads")
    return answer


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext("{*}" + name, "")
