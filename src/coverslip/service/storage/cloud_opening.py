"""Opening a bucket as the settings say, and trying it once."""

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import obstore
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from coverslip.contract.errors import CoverslipError
from coverslip.service.settings import ServiceSettings, SettingsInvalid
from coverslip.service.storage.cloud import CloudStore
from coverslip.service.storage.errors import ObjectKeyInvalid
from coverslip.service.storage.query_signing import QuerySigner, gcs_signer, s3_signer
from coverslip.service.storage.signature_v4 import MAX_LIFETIME_S
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.unfinished import unfinished_uploads

if TYPE_CHECKING:  # at run time they do not exist
    from obstore.store import ClientConfig, RetryConfig

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(/[A-Za-z0-9._~/-]*)?")
_GCS_ENDPOINT = "https://storage.googleapis.com"
_TEMPORARY_KEYS = "ASIA"  # how the ids of Amazon's temporary access keys begin
_RETRY: "RetryConfig" = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
_CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=120)}


class StoreUnusable(CoverslipError):
    """The object store {url} cannot be used: {reason}. Check the bucket's name, the endpoint, the region, and that
    the key may read, write, list and delete, and list and abort unfinished uploads."""

    code = "STORE.UNUSABLE"


def open_cloud_store(settings: ServiceSettings) -> CloudStore:
    """Open the bucket of the settings; write, read, list and delete an object, and list unfinished uploads in it.

    Raises
    ------
    SettingsInvalid
        If a setting that it needs is missing or wrong.
    StoreUnusable
        If the store does not answer, or does not allow it.
    """
    parts = urlsplit(settings.store_url)
    prefix = parts.path.strip("/")
    if not _BUCKET.fullmatch(parts.netloc):
        raise SettingsInvalid(faults=f"COVERSLIP_STORE_URL: '{parts.netloc}' is not the name of a bucket")
    if prefix and not _is_path(prefix):
        raise SettingsInvalid(faults=f"COVERSLIP_STORE_URL: '{prefix}' cannot be the prefix of objects")
    if settings.input_url_lifetime_s > MAX_LIFETIME_S:
        raise SettingsInvalid(faults=f"COVERSLIP_INPUT_URL_LIFETIME_S: such a store allows at most {MAX_LIFETIME_S}")
    bucket, signer = (_open_s3 if parts.scheme == "s3" else _open_gcs)(settings, parts.netloc, prefix)
    _try(settings, bucket, f"{prefix}/" if prefix else "", signer)
    return CloudStore(bucket, prefix, signer)


def _is_path(text: str) -> bool:
    try:
        ObjectKey(Area.INPUTS, text)
    except ObjectKeyInvalid:
        return False
    return True


def _open_s3(settings: ServiceSettings, bucket: str, prefix: str) -> tuple[S3Store, QuerySigner]:
    region = settings.store_region
    key_id, secret = settings.store_access_key_id, settings.store_secret_access_key
    if not key_id or secret is None:
        raise SettingsInvalid(
            faults="COVERSLIP_STORE_ACCESS_KEY_ID, COVERSLIP_STORE_SECRET_ACCESS_KEY: s3:// needs both"
        )
    if key_id.startswith(_TEMPORARY_KEYS):
        raise SettingsInvalid(faults="COVERSLIP_STORE_ACCESS_KEY_ID: this key is temporary; URLs need a lasting one")
    endpoint = _endpoint(settings, f"https://s3.{region}.amazonaws.com")
    signer = s3_signer(
        f"{endpoint}/{bucket}", region=region, access_key_id=key_id, secret_access_key=secret.get_secret_value()
    )
    store = S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=endpoint,
        region=region,
        access_key_id=key_id,
        secret_access_key=secret.get_secret_value(),
        virtual_hosted_style_request=False,
        disable_bulk_delete=True,  # not everything that speaks S3 knows it, and we delete one by one
        client_options=_client(endpoint),
        retry_config=_RETRY,
    )
    return store, signer


def _open_gcs(settings: ServiceSettings, bucket: str, prefix: str) -> tuple[GCSStore, QuerySigner]:
    file = settings.store_service_account_file
    if file is None:
        raise SettingsInvalid(faults="COVERSLIP_STORE_SERVICE_ACCOUNT_FILE: gs:// needs it")
    endpoint = _endpoint(settings, _GCS_ENDPOINT)
    try:
        key = file.read_text()
        signer = gcs_signer(f"{endpoint}/{bucket}", key)
    except (OSError, ValueError) as error:
        fault = f"'{file}' is not a service account's key: {error}"
        raise SettingsInvalid(faults=f"COVERSLIP_STORE_SERVICE_ACCOUNT_FILE: {fault}") from error
    store = GCSStore(
        bucket,
        prefix=prefix or None,
        base_url=endpoint,
        service_account_key=key,
        client_options=_client(endpoint),
        retry_config=_RETRY,
    )
    return store, signer


def _endpoint(settings: ServiceSettings, usual: str) -> str:
    endpoint = (settings.store_endpoint or usual).rstrip("/")
    if not _ENDPOINT.fullmatch(endpoint):
        raise SettingsInvalid(faults=f"COVERSLIP_STORE_ENDPOINT: '{endpoint}' is not like https://host")
    return endpoint


def _client(endpoint: str) -> "ClientConfig":
    return _CLIENT | {"allow_http": endpoint.startswith("http://")}


def _try(settings: ServiceSettings, bucket: S3Store | GCSStore, root: str, signer: QuerySigner) -> None:
    name, content = f"tried/{secrets.token_hex(8)}", secrets.token_bytes(16)
    try:
        obstore.put(bucket, name, content)
        try:
            if not any(meta["path"] == name for batch in obstore.list(bucket, "tried") for meta in batch):
                raise StoreUnusable(url=settings.store_url, reason="what was written is not listed")
            answer = httpx.get(signer.sign("GET", root + name, expires_in_s=60), timeout=30)
            if answer.content != content:
                reason = f"it answered {answer.status_code} to a URL that we signed"
                raise StoreUnusable(url=settings.store_url, reason=reason)
            next(unfinished_uploads(signer), None)
        finally:
            obstore.delete(bucket, name)
    except (BaseError, FileNotFoundError, httpx.HTTPError, ValueError) as error:
        raise StoreUnusable(url=settings.store_url, reason=str(error).partition("\n")[0]) from error
