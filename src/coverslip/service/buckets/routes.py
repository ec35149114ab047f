"""The caller's bucket keys over HTTP (extension API)."""

from typing import Any

from fastapi import APIRouter, status

from coverslip.contract.bucket_keys import BucketKeyReadResponse, BucketKeySecretResponse
from coverslip.service.buckets import commands
from coverslip.service.buckets.rules import bucket_name
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import PrincipalDep

router = APIRouter(prefix="/bucket-keys", tags=["Bucket keys"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not there, revoked before, or not yours"}}


@router.get("", operation_id="list_bucket_keys")
async def list_bucket_keys(context: ContextDep, principal: PrincipalDep) -> list[BucketKeyReadResponse]:
    """Every bucket key of the caller for the organization, newest first, without their secrets."""
    return [
        BucketKeyReadResponse(access_key_id=row.access_key_id, created_at=row.created_at, revoked_at=row.revoked_at)
        for row in await commands.own_keys(context, principal)
    ]


@router.post("/rotate", operation_id="rotate_bucket_key")
async def rotate_bucket_key(context: ContextDep, principal: PrincipalDep) -> BucketKeySecretResponse:
    """Revoke the caller's key and make another. URLs that the old one signed are refused at once."""
    key = await commands.rotate_own_key(context, principal)
    return BucketKeySecretResponse(
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
        bucket_name=bucket_name(principal.organization_id),
    )


@router.delete(
    "/{access_key_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="revoke_bucket_key",
    responses=_NOT_FOUND,
)
async def revoke_bucket_key(access_key_id: str, context: ContextDep, principal: PrincipalDep) -> None:
    """Revoke a key: the caller's own; an administrator, any of the organization."""
    await commands.revoke_key(context, principal, access_key_id)
