"""The caller and their organization."""

from fastapi import APIRouter

from coverslip.contract.me import MeReadResponse, OrganizationReadResponse, UserReadResponse
from coverslip.service.buckets.commands import own_key
from coverslip.service.buckets.rules import bucket_name
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import MemberDep, current_principal

router = APIRouter(prefix="/v1/me", tags=["Public"])


@router.get("", operation_id="get_me_v1_me_get", summary="Read the caller")
async def read_me(member: MemberDep, context: ContextDep) -> MeReadResponse:
    """Who is calling, for which organization, and the caller's key for its bucket."""
    bucket_key = await own_key(context, current_principal(member))
    given_name, _, family_name = member.name.partition(" ")
    return MeReadResponse(
        user=UserReadResponse(
            id=member.id,
            email=member.email,
            email_verified=member.email_verified,
            name=member.name,
            given_name=given_name,
            family_name=family_name,
            nickname=given_name,
            updated_at=member.updated_at,
        ),
        organization=OrganizationReadResponse(
            id=member.organization_id,
            name=member.organization_name,
            display_name=member.organization_display_name,
            aignostics_bucket_hmac_access_key_id=bucket_key.access_key_id,
            aignostics_bucket_hmac_secret_access_key=bucket_key.secret_access_key,
            aignostics_bucket_name=bucket_name(member.organization_id),
            aignostics_bucket_protocol="gs",
            aignostics_logfire_token="",
            aignostics_sentry_dsn="",
        ),
    )
