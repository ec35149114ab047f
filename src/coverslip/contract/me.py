"""Who is calling, and for which organization."""

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant


class UserReadResponse(BaseModel):
    """The caller."""

    id: str = Field(description="Id of the user")
    email: str | None = Field(default=None, description="E-mail address")
    email_verified: bool | None = None
    name: str | None = Field(default=None, description="Full name")
    given_name: str | None = None
    family_name: str | None = None
    nickname: str | None = None
    picture: str | None = None
    updated_at: Instant | None = None


class OrganizationReadResponse(BaseModel):
    """The organization the caller acts for, and its bucket under the names of the published contract."""

    id: str = Field(description="Id of the organization")
    name: str | None = Field(default=None, description="Short name")
    display_name: str | None = Field(default=None, description="Name shown to people")
    aignostics_bucket_hmac_access_key_id: str = Field(description="Access key id of the caller's bucket key")
    aignostics_bucket_hmac_secret_access_key: str = Field(description="Secret of the caller's bucket key")
    aignostics_bucket_name: str = Field(description="Bucket for the organization's slides")
    aignostics_bucket_protocol: str = Field(description="Protocol of the bucket")
    aignostics_logfire_token: str = Field(description="Always empty: Coverslip sends nothing to third parties")
    aignostics_sentry_dsn: str = Field(description="Always empty: Coverslip sends nothing to third parties")


class MeReadResponse(BaseModel):
    user: UserReadResponse
    organization: OrganizationReadResponse
