"""Settings of the service, from ``COVERSLIP_…`` variables and ``.env``."""

from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverslip.contract.errors import CoverslipError
from coverslip.fetching.allow_list import AllowEntries
from coverslip.telemetry.logs import LogFormat, LogLevel


class SettingsInvalid(CoverslipError):
    """The service's settings are not valid: {faults}. Set them as COVERSLIP_… variables, or use `coverslip up`,
    which sets everything itself."""

    code = "SETTINGS.INVALID"


def _either(name: str, *others: str) -> AliasChoices:
    """Our own variable, then those that the store's other tools read too."""
    return AliasChoices(f"COVERSLIP_{name.upper()}", *others)


# A scheme that a program registers for itself has a dot (RFC 8252, section 7.1); none may be `javascript:` or `data:`.
RedirectAddress = Annotated[str, Field(pattern=r"^(https?://[^/#\s]+|[a-z][a-z0-9+-]*\.[a-z0-9.+-]*:)[^#\s]*$")]


class ServiceSettings(BaseSettings):
    """What the service needs to know. `coverslip up` provides all of it."""

    model_config = SettingsConfigDict(env_prefix="COVERSLIP_", env_file=".env", extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(description="PostgreSQL URL of the service's role, version 16 or newer")
    database_owner_url: SecretStr | None = Field(default=None, description="URL of the role that owns the schema")
    database_reader_url: SecretStr | None = Field(default=None, description="URL of the read-only role for filters")
    database_pool_size: int = Field(default=10, ge=1, description="Connections kept open to the database")
    store_url: str = Field(description="Object store: file:///path, s3://bucket/prefix or gs://bucket/prefix")
    store_endpoint: str | None = Field(
        default=None,
        validation_alias=_either("store_endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of the bucket's store, as clients reach it too, or AWS_ENDPOINT_URL; else its provider's",
    )
    store_region: str = Field(
        default="us-east-1",
        validation_alias=_either("store_region", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the S3 bucket, or AWS_REGION",
    )
    store_access_key_id: str | None = Field(
        default=None,
        validation_alias=_either("store_access_key_id", "AWS_ACCESS_KEY_ID"),
        description="S3 access key, or AWS_ACCESS_KEY_ID; a lasting one, because the URLs it signs die with it",
    )
    store_secret_access_key: SecretStr | None = Field(
        default=None,
        validation_alias=_either("store_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        description="Secret of the S3 access key, or AWS_SECRET_ACCESS_KEY",
    )
    store_service_account_file: Path | None = Field(
        default=None,
        validation_alias=_either(
            "store_service_account_file", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"
        ),
        description="File with the key of a Google service account for gs://, or GOOGLE_APPLICATION_CREDENTIALS",
    )
    public_url: str = Field(default="http://127.0.0.1:8000", description="Address clients use, without a final slash")
    encryption_key_file: Path = Field(
        description="File with the 32-byte key that encrypts secrets kept in the database"
    )
    store_key_file: Path | None = Field(
        default=None, description="File with the key that signs the URLs of a file:// store, which needs it"
    )
    bucket_at_published_host: bool = Field(
        default=False,
        description="Answer requests for the host storage.googleapis.com as the bucket, for the published client",
    )
    worker_token_file: Path | None = Field(default=None, description="File with the token of the worker beside us")

    audience: str = Field(
        default="coverslip-platform", min_length=10, max_length=100, description="Whom our tokens are for"
    )
    access_token_lifetime_s: int = Field(default=12 * 3600, ge=60, description="How long a token is valid")
    oauth_clients: dict[str, list[RedirectAddress]] = Field(
        default={},
        description="Further programs that sign people in with a browser, as JSON with their exact redirect addresses, "
        'such as {"viewer": ["https://viewer.example/callback"]}; an empty list means their own computer',
    )
    refresh_token_lifetime_s: int = Field(default=90 * 24 * 3600, ge=60, description="How long a session lasts")

    reuse_results: bool = Field(
        default=True, description="Give the results of an earlier run to a slide that was processed before"
    )
    max_items_per_run: int = Field(default=500, ge=1, description="Slides a run may have")
    upload_part_bytes: int = Field(default=64 * 1024 * 1024, ge=1024, description="Size of an upload's parts")
    upload_lifetime_s: int = Field(
        default=7 * 24 * 3600, ge=60, description="An upload nobody goes on with is dropped after this time"
    )
    input_url_lifetime_s: int = Field(default=7 * 24 * 3600, ge=60, description="Of the URLs given for uploaded slides")
    result_url_lifetime_s: int = Field(default=3600, ge=60, description="Of the URLs results are downloaded from")
    filter_timeout_ms: int = Field(default=2000, ge=1, description="Longest time a metadata filter may take")

    lease_s: float = Field(default=60, gt=0, description="How long a lease lasts without a heartbeat")
    heartbeat_s: float = Field(default=10, gt=0, description="How often workers are to extend their leases")
    max_attempts: int = Field(default=3, ge=1, description="Attempts at an item before it ends as SYSTEM_ERROR")
    retry_backoff_s: float = Field(
        default=5, ge=0, description="Wait before the second attempt; four times that later, up to 1 h"
    )
    error_threshold_items: int = Field(
        default=20,
        ge=0,
        description="A run is ended once so many items have failed, and more than the share below; 0 never ends one",
    )
    error_threshold_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of a run's items that must have failed before it is ended"
    )
    result_retention_days: float = Field(
        default=30, ge=0, le=36_500, description="Results are deleted so many days after their run ended; 0 keeps them"
    )
    bucket_retention_days: float = Field(
        default=30,
        ge=0,
        le=36_500,
        description="Uploaded slides that no run used for so many days are deleted; 0 keeps them",
    )
    items_of_run_at_once: int = Field(
        default=4,
        ge=1,
        description="Items of a run in processing before the organization's other waiting runs go first",
    )
    large_item_wait_s: float = Field(
        default=300,
        ge=0,
        description="After smaller items went first for so long, a worker makes room for the large one that is next",
    )
    queue_position_age_s: float = Field(default=5, ge=0, description="How old the positions in the queue may be")
    sweep_s: float = Field(default=2, gt=0, description="How often expired leases and deadlines are looked for")

    metrics_token_file: Path | None = Field(
        default=None, description="File with the token that opens /metrics; without it, nobody can read them"
    )
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="Lines of `text`, or of `json` for machines")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="The least important lines to write")

    fetch_allow: AllowEntries = Field(
        default=(), description="Hosts and CIDRs webhooks may lead to although they are not public, by http too"
    )
    webhook_connections: int = Field(
        default=16, ge=0, description="Webhook messages sent at once; 0 leaves sending to other service processes"
    )
    webhook_timeout_s: float = Field(default=10, gt=0, description="How long a webhook's receiver may take to answer")
    webhook_retry_s: float = Field(
        default=5, gt=0, description="Wait before a webhook message is sent again; three times that later, up to 4 h"
    )

    @cached_property
    def issuer(self) -> str:
        """The `iss` of our tokens: scheme and host of the public address with a final slash."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}/"


def load_settings() -> ServiceSettings:
    """Read the settings.

    Raises
    ------
    SettingsInvalid
        Naming each variable that is missing or wrong.
    """
    try:
        return ServiceSettings()  # type: ignore[call-arg]  # pydantic-settings fills the fields from the environment
    except ValidationError as error:
        faults = "; ".join(f"COVERSLIP_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise SettingsInvalid(faults=faults) from None
