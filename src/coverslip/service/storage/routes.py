"""The directory store over HTTP: whoever holds a signed URL may use it, and nobody else."""

from typing import Any

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import ClientDisconnect

from coverslip.contract.uploads import MAX_OBJECT_BYTES
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.errors import ObjectNotFound
from coverslip.service.storage.parts_in_place import PartsInPlace
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.verifying import verified


class _FileResponse(FileResponse):
    # Each chunk costs a change of threads: with Starlette's own 64 KiB they take longer than the bytes.
    chunk_size = 1024 * 1024


def directory_store_router(store: DirectoryStore) -> APIRouter:
    """The routes of ``store``."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{area}/{path:path}", methods=["GET", "HEAD"])
    async def read(request: Request, area: Area, path: str) -> Response:
        query = request.query_params
        key = ObjectKey(area, path)
        store.signer.check("GET", str(key), query)
        stat = await store.stat(key)
        if stat is None:
            raise ObjectNotFound
        # Never sniffed, never run: an uploaded HTML page must not become a page of ours.
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "private",
        }
        return _FileResponse(
            store.file(key),
            media_type=query.get("media-type", "application/octet-stream"),
            filename=query.get("file-name"),
            headers=headers,
        )

    @router.put("/{area}/{path:path}", max_body_size=MAX_OBJECT_BYTES)
    async def write(request: Request, area: Area, path: str) -> Any:
        query = request.query_params
        key = ObjectKey(area, path)
        store.signer.check("PUT", str(key), query)
        checksum = query["crc32c"]
        content = verified(request.stream(), size_bytes=int(query["size"]), checksum_base64_crc32c=checksum)
        try:
            if "offset" in query:
                await PartsInPlace(store).receive(key, int(query["offset"]), content)
            else:
                await store.write(key, content)
        except ClientDisconnect:  # nothing was kept, and nobody hears an answer
            return Response(status_code=status.HTTP_400_BAD_REQUEST)
        return JSONResponse({"checksum_base64_crc32c": checksum})

    return router
