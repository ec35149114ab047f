"""What the published client does otherwise when it is set to a platform that is not its vendor's.

The client is imported by its names, because it is not there when this package is built or checked.
"""

import importlib
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

KNOWN_VERSIONS = ("1.6.0",)
"""Those that the bridge was tried with. It replaces private parts of the client, so others are left alone."""

BUCKET_PATH = "/s3"
"""Below this path of a platform's address is its bucket, for clients of S3."""


class BridgeNotBuilt(UserWarning):
    """The published client was left as it is."""


def build_bridge() -> None:
    """Change the client of this process; never raises, so that the client works on whatever it finds here."""
    try:
        installed = version("aignostics")
    except PackageNotFoundError:
        return
    if installed not in KNOWN_VERSIONS:
        _warn(f"it knows aignostics {', '.join(KNOWN_VERSIONS)}, and {installed} is installed")
        return
    try:
        _follow_api_root()
    except Exception as error:  # whatever it is, the client must start
        _warn(f"aignostics {installed} is not as expected ({type(error).__name__}: {error})")


def _warn(reason: str) -> None:
    warnings.warn(
        f"Coverslip's bridge was not built: {reason}. Uploads to a Coverslip platform will fail; the vendor's platform "
        "works as ever. Install a known version, or see 'Use the published client' in Coverslip's documentation.",
        BridgeNotBuilt,
        stacklevel=3,
    )


def _follow_api_root() -> None:
    platform = importlib.import_module("aignostics.platform")
    health = importlib.import_module("aignostics.utils").Health
    bucket_service = importlib.import_module("aignostics.bucket").Service
    system_service = importlib.import_module("aignostics.system").Service
    vendors = _vendor_roots(importlib.import_module("aignostics.platform._constants"))
    published_client, published_probe = bucket_service._get_s3_client, system_service._determine_network_health

    def foreign_root() -> str | None:
        # Asked for anew each time: settings are read late, and programs change them.
        root = str(platform.settings().api_root).rstrip("/")
        return None if root in vendors else root

    def s3_client(self: Any, *args: Any, **kwargs: Any) -> Any:
        root = foreign_root()
        if root is not None and not args:
            kwargs.setdefault("endpoint_url", root + BUCKET_PATH)
        return published_client(self, *args, **kwargs)

    async def network_health() -> Any:
        # Whether the platform can be reached is for its own part of the health check to say.
        return health(status=health.Code.UP) if foreign_root() is not None else await published_probe()

    bucket_service._get_s3_client = s3_client
    system_service._determine_network_health = staticmethod(network_health)


def _vendor_roots(constants: Any) -> frozenset[str]:
    roots = frozenset(str(value) for name, value in vars(constants).items() if name.startswith("API_ROOT_"))
    if not roots:
        raise AttributeError("its own addresses are not where they were")
    return roots
