"""The object `sdk` that clients keep in a run's custom metadata: who submitted it, how, with which note and tags.

Field for field the schema 0.0.6 of the published client, which refuses any other key.
"""

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coverslip.contract.fields import JsonObject
from coverslip.contract.me import MeReadResponse
from coverslip.platform.connection import USER_AGENT

SDK_KEY = "sdk"
SCHEMA_VERSION = "0.0.6"


class Interface(StrEnum):
    """Through what a person submitted."""

    SCRIPT = "script"
    CLI = "cli"
    LAUNCHPAD = "launchpad"


class SubmissionMetadata(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: AwareDatetime
    interface: Interface
    initiator: str = "user"


class UserMetadata(BaseModel):
    model_config = ConfigDict(extra="forbid")

    organization_id: str
    organization_name: str
    user_email: str
    user_id: str


class RunSdkMetadata(BaseModel):
    """What clients say about a run."""

    model_config = ConfigDict(extra="forbid")

    schema_version: str = SCHEMA_VERSION
    created_at: AwareDatetime
    updated_at: AwareDatetime
    tags: list[str] | None = None
    submission: SubmissionMetadata
    user_agent: str = USER_AGENT
    user: UserMetadata | None = None
    note: str | None = Field(default=None)


def run_sdk_metadata(
    interface: Interface, me: MeReadResponse | None = None, *, note: str | None = None, tags: set[str] | None = None
) -> JsonObject:
    """The `sdk` object for a run that is submitted now."""
    now = datetime.now(UTC)
    metadata = RunSdkMetadata(
        created_at=now,
        updated_at=now,
        tags=sorted(tags) if tags else None,
        submission=SubmissionMetadata(date=now, interface=interface),
        user=_user(me) if me else None,
        note=note or None,
    )
    return metadata.model_dump(mode="json", exclude_none=True)


def with_sdk_metadata(custom_metadata: JsonObject) -> JsonObject:
    """`custom_metadata` whose `sdk` object, if it has one, says that it changed now."""
    sdk = custom_metadata.get(SDK_KEY)
    if not isinstance(sdk, dict):
        return {**custom_metadata, SDK_KEY: run_sdk_metadata(Interface.SCRIPT)}
    return {**custom_metadata, SDK_KEY: {**sdk, "updated_at": datetime.now(UTC).isoformat()}}


def _user(me: MeReadResponse) -> UserMetadata | None:
    """None where a field that the published schema demands is unknown."""
    if not me.user.email or not me.organization.name:
        return None
    return UserMetadata(
        organization_id=me.organization.id,
        organization_name=me.organization.name,
        user_email=me.user.email,
        user_id=me.user.id,
    )
