"""Slides in the organization's bucket, before they are submitted."""

from coverslip.contract.objects import ObjectCreateRequest, ObjectUploadResponse
from coverslip.platform.api import Api


class Objects:
    """Where a client puts slides: the platform hands out a signed URL for each."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, request: ObjectCreateRequest) -> ObjectUploadResponse:
        """Announce a file. The answer's `upload_url` is None when the very same file is there already."""
        response = self._api.request(
            "POST", "/api/coverslip/v1/objects", body=request.model_dump(mode="json"), repeatable=True
        )
        return self._api.understand(ObjectUploadResponse, response)
