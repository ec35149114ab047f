"""The client library: `from coverslip import platform; platform.Client()`."""

from coverslip.contract.access import GrantRelation, ResourceType, SubjectType
from coverslip.contract.applications import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    VersionReadResponse,
)
from coverslip.contract.artifacts import (
    ArtifactOutput,
    ArtifactState,
    ArtifactTerminationReason,
    InputArtifactCreationRequest,
)
from coverslip.contract.attempts import AttemptOutcome, AttemptReadResponse, ExitCause
from coverslip.contract.documents import VersionDocumentResponse
from coverslip.contract.items import (
    ItemCreationRequest,
    ItemOutput,
    ItemResultReadResponse,
    ItemState,
    ItemTerminationReason,
)
from coverslip.contract.me import MeReadResponse
from coverslip.contract.quotas import Cost, OrganizationLimits, QuotaExcess, SlidePrice, UserLimits
from coverslip.contract.runs import RunOutput, RunReadResponse, RunState, RunTerminationReason, SchedulingRequest
from coverslip.platform.access import AccessGrant, ShareToken, ShareTokens
from coverslip.platform.applications import Applications, Versions
from coverslip.platform.client import Client
from coverslip.platform.documents import Documents
from coverslip.platform.errors import (
    AccessDenied,
    Conflict,
    Gone,
    InvalidRequest,
    MetadataConflict,
    NotFound,
    NotLoggedIn,
    QuotaExceeded,
    Refused,
    ServerError,
    ServerUnreachable,
    SessionExpired,
)
from coverslip.platform.quotas import Quotas
from coverslip.platform.runs import Artifact, Run, Runs
from coverslip.platform.sdk_metadata import RunSdkMetadata
from coverslip.platform.settings import Settings
from coverslip.platform.uploads import UploadedSlide

__all__ = [
    "AccessDenied",
    "AccessGrant",
    "ApplicationReadResponse",
    "ApplicationReadShortResponse",
    "ApplicationVersion",
    "Applications",
    "Artifact",
    "ArtifactOutput",
    "ArtifactState",
    "ArtifactTerminationReason",
    "AttemptOutcome",
    "AttemptReadResponse",
    "Client",
    "Conflict",
    "Cost",
    "Documents",
    "ExitCause",
    "Gone",
    "GrantRelation",
    "InputArtifactCreationRequest",
    "InvalidRequest",
    "ItemCreationRequest",
    "ItemOutput",
    "ItemResultReadResponse",
    "ItemState",
    "ItemTerminationReason",
    "MeReadResponse",
    "MetadataConflict",
    "NotFound",
    "NotLoggedIn",
    "OrganizationLimits",
    "QuotaExceeded",
    "QuotaExcess",
    "Quotas",
    "Refused",
    "ResourceType",
    "Run",
    "RunOutput",
    "RunReadResponse",
    "RunSdkMetadata",
    "RunState",
    "RunTerminationReason",
    "Runs",
    "SchedulingRequest",
    "ServerError",
    "ServerUnreachable",
    "SessionExpired",
    "Settings",
    "ShareToken",
    "ShareTokens",
    "SlidePrice",
    "SubjectType",
    "UploadedSlide",
    "UserLimits",
    "VersionDocumentResponse",
    "VersionReadResponse",
    "Versions",
]
