"""The caller and their organization."""

from fastapi import APIRouter

from coverslip.contract.me import MeReadResponse, OrganizationReadResponse, UserReadResponse
from coverslip.service.identity.authentication import MemberDep

router = APIRouter(prefix="/v1/me", tags=["Public"])


@router.get("", operation_id="get_me_v1_me_get", summary="Read the caller")
async def read_me(member: MemberDep) -> MeReadResponse:
    """Who is calling, and for which organization."""
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
            # No bucket keys are given out: slides are uploaded through URLs that the service signs.
            aignostics_bucket_hmac_access_key_id="",
            aignostics_bucket_hmac_secret_access_key="",
            aignostics_bucket_name=member.organization_id,
            aignostics_bucket_protocol="gs",
            aignostics_logfire_token="",
            aignostics_sentry_dsn="",
        ),
    )
