"""Which object store the settings ask for."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from coverslip.contract.errors import CoverslipError
from coverslip.service.settings import ServiceSettings, SettingsInvalid
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import ObjectStore

STORE_PATH = "/store"
"""Below this path of the public address are the routes of the directory store."""


class StoreUrlUnsupported(CoverslipError):
    """COVERSLIP_STORE_URL is '{url}', and no object store is known for its scheme. Use
    file:///a/directory, s3://bucket/prefix or gs://bucket/prefix."""

    code = "STORE.URL_UNSUPPORTED"


class CloudExtraMissing(CoverslipError):
    """COVERSLIP_STORE_URL is '{url}', but what opens such stores is not installed. Install it:
    pip install 'coverslip[server,cloud]'"""

    code = "STORE.EXTRA_MISSING"


def open_store(settings: ServiceSettings) -> ObjectStore:
    """Open the object store of the settings; one that is elsewhere is tried once.

    Raises
    ------
    StoreUrlUnsupported
        If the scheme of its URL is not known.
    SettingsInvalid
        If a setting that the store needs is missing or wrong.
    CloudExtraMissing, StoreUnusable
        If a store that is elsewhere cannot be used.
    """
    parts = urlsplit(settings.store_url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        if settings.store_key_file is None:
            raise SettingsInvalid(faults="COVERSLIP_STORE_KEY_FILE: file:// needs it")
        signer = UrlSigner(settings.store_key_file.read_bytes(), settings.public_url + STORE_PATH)
        return DirectoryStore(Path(url2pathname(parts.path)), signer)
    if parts.scheme not in ("s3", "gs") or not parts.netloc:
        raise StoreUrlUnsupported(url=settings.store_url)
    try:
        from coverslip.service.storage.cloud_opening import open_cloud_store
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise CloudExtraMissing(url=settings.store_url) from None
    return open_cloud_store(settings)
