"""Slides on their way into the organization's bucket, and there."""

from collections.abc import Iterator
from uuid import UUID

from coverslip.contract.uploads import (
    ObjectReadResponse,
    PartCreateRequest,
    PartCreateResponse,
    UploadCreateRequest,
    UploadResponse,
)
from coverslip.platform.api import Api, segment
from coverslip.platform.paging import MAX_PAGE_SIZE, rows

_UPLOADS = "/api/coverslip/v1/uploads"
_OBJECTS = "/api/coverslip/v1/objects"

COMPLETION_LIMIT_S = 3600.0
"""The platform reads a large slide once more when it is complete."""


class Objects:
    """What the caller uploads, and has uploaded."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def begin(self, request: UploadCreateRequest) -> UploadResponse:
        """Announce a file; announced again, it goes on where it stopped."""
        response = self._api.request("POST", _UPLOADS, body=request.model_dump(mode="json"), repeatable=True)
        return self._api.understand(UploadResponse, response)

    def sign_part(self, upload_id: UUID, number: int, checksum_base64_crc32c: str) -> str:
        """Where to PUT one part."""
        body = PartCreateRequest(checksum_base64_crc32c=checksum_base64_crc32c).model_dump(mode="json")
        response = self._api.request("POST", f"{_UPLOADS}/{upload_id}/parts/{number}", body=body, repeatable=True)
        return self._api.understand(PartCreateResponse, response).upload_url

    def complete(self, upload_id: UUID) -> UploadResponse:
        """Make one object of the parts."""
        response = self._api.request(
            "POST", f"{_UPLOADS}/{upload_id}/complete", repeatable=True, timeout_s=COMPLETION_LIMIT_S
        )
        return self._api.understand(UploadResponse, response)

    def list(self) -> Iterator[ObjectReadResponse]:
        """What the caller has uploaded, newest first."""
        return rows(self._api, ObjectReadResponse, _OBJECTS, page_size=MAX_PAGE_SIZE)

    def delete(self, object_key: str) -> None:
        """Delete an object that no unfinished run needs."""
        self._api.request("DELETE", f"{_OBJECTS}/{segment(object_key)}")
