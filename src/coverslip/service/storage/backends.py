"""Which object store the settings ask for."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from coverslip.contract.errors import CoverslipError
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.signing import UrlSigner

STORE_PATH = "/store"
"""Below this path of the public address are the routes of the directory store."""


class StoreUrlUnsupported(CoverslipError):
    """COVERSLIP_STORE_URL is '{url}', and no object store is known for its scheme. Use file:///a/directory."""

    code = "STORE.URL_UNSUPPORTED"


def open_store(settings: ServiceSettings) -> DirectoryStore:
    """Open the object store of the settings.

    Raises
    ------
    StoreUrlUnsupported
        If the scheme of its URL is not known.
    """
    parts = urlsplit(settings.store_url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise StoreUrlUnsupported(url=settings.store_url)
    signer = UrlSigner(settings.store_key_file.read_bytes(), settings.public_url + STORE_PATH)
    return DirectoryStore(Path(url2pathname(parts.path)), signer)
