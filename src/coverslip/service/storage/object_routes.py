"""Objects of the caller's organization (extension API): announced here, uploaded to the store."""

import base64

from fastapi import APIRouter, status

from coverslip.contract.fields import MAX_URL_LENGTH
from coverslip.contract.objects import ObjectCreateRequest, ObjectUploadResponse
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.storage import queries
from coverslip.service.storage.errors import ObjectKeyInvalid
from coverslip.service.storage.store import Area, ObjectKey

router = APIRouter(prefix="/objects", tags=["Objects"])


@router.post("", status_code=status.HTTP_201_CREATED, operation_id="create_object")
async def create_object(
    request: ObjectCreateRequest, context: ContextDep, principal: PrincipalDep
) -> ObjectUploadResponse:
    """Announce a file; upload it with one PUT to `upload_url`, then submit its `download_url`.

    The key holds size and checksum of the file, so another file of the same name never overwrites it, and the same
    file announced again need not be sent again.
    """
    content = f"{base64.b64decode(request.checksum_base64_crc32c).hex()}-{request.size_bytes}"
    key = ObjectKey(Area.INPUTS, f"{principal.organization_id}/{principal.user_id}/{content}/{request.name}")
    download_url = context.store.sign_get(key, expires_in_s=context.settings.input_url_lifetime_s)
    if len(download_url) > MAX_URL_LENGTH:
        raise ObjectKeyInvalid(path=request.name, fault="its URL would be too long; use a shorter name")
    async with context.database.transaction(principal.scope) as connection:
        await queries.remember_object(
            connection,
            path=key.path,
            organization_id=principal.organization_id,
            user_id=principal.user_id,
            size_bytes=request.size_bytes,
            checksum_base64_crc32c=request.checksum_base64_crc32c,
        )
    upload_url: str | None = None
    if await context.store.stat(key) is None:
        upload_url = context.store.sign_put(
            key,
            expires_in_s=context.settings.input_url_lifetime_s,
            size_bytes=request.size_bytes,
            checksum_base64_crc32c=request.checksum_base64_crc32c,
        )
    return ObjectUploadResponse(object_key=key.path, upload_url=upload_url, download_url=download_url)
