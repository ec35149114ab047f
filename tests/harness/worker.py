"""A worker that talks as the real one does, but runs no application."""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import google_crc32c
import httpx

# Made once: reading the certificates of all authorities takes longer than most tests.
TLS = ssl.create_default_context()

OFFER = {"application_id": "test-app", "version_number": "1.0.0"}

ARTIFACTS: dict[str, dict[str, Any]] = {
    f"{stage}:{name}": metadata
    for stage in ("tissue_qc", "tissue_segmentation")
    for name, metadata in {
        "segmentation_map_image": {
            "media_type": "image/tiff",
            "width_px": 10,
            "height_px": 10,
            "class_colors": {"Stroma": [1, 2, 3]},
        },
        "geojson_polygons": {"media_type": "application/geo+json", "polygon_mpp": 0.25},
        "csv_class_information": {"media_type": "text/csv"},
    }.items()
}
"""The outputs that `test-app` declares, each with valid metadata."""


def crc32c(content: bytes) -> str:
    """The checksum as the API writes it."""
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


@dataclass(frozen=True)
class Held:
    """A leased item, with the requests its holder may make."""

    http: httpx.Client
    store: httpx.Client
    lease: dict[str, Any]

    @property
    def item_id(self) -> str:
        return str(self.lease["item_id"])

    def post(self, action: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Coverslip-Lease-Token": self.lease["lease_token"]}
        return self.http.post(f"/api/worker/v1/leases/{self.item_id}/{action}", json=body, headers=headers)

    def heartbeat(self, stage: str = "", fraction: float = 0) -> httpx.Response:
        return self.post("heartbeat", {"stage": stage, "fraction": fraction})

    def sign(self, name: str, content: bytes) -> httpx.Response:
        return self.post("artifacts/sign", _upload(name, content))

    def publish(self, name: str, content: bytes, **metadata: Any) -> httpx.Response:
        return self.post("artifacts/publish", _upload(name, content) | {"metadata": ARTIFACTS.get(name, {}) | metadata})

    def write(self, name: str, content: bytes = b"result") -> None:
        """Sign, upload and publish one output."""
        url = self.sign(name, content).raise_for_status().json()["upload_url"]
        if url is not None:
            self.store.put(url, content=content).raise_for_status()
            self.publish(name, content).raise_for_status()

    def reuse(
        self, *contents: bytes, file_name: str = "slide.tiff", models: Mapping[str, str] = MappingProxyType({})
    ) -> httpx.Response:
        """Say what the inputs are."""
        names = [given["name"] for given in self.lease["inputs"]]
        inputs = [
            {"name": name, "file_name": file_name, "sha256": sha256(content).hexdigest()}
            for name, content in zip(names, contents, strict=True)
        ]
        return self.post("reuse", {"inputs": inputs, "models": dict(models)})

    def report(self, outcome: str, **fields: Any) -> httpx.Response:
        return self.post("report", {"outcome": outcome} | fields)

    def succeed(self) -> None:
        """Write every output and report success."""
        for name in ARTIFACTS:
            self.write(name, name.encode())
        self.report("SUCCEEDED").raise_for_status()


class WorkerClient:
    """Leases items."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, verify=TLS)
        self.store = httpx.Client(timeout=30, verify=TLS)

    def ask(self, **fields: Any) -> httpx.Response:
        """Ask for an item."""
        return self.http.post("/api/worker/v1/leases", json={"worker_name": "tests", "versions": [OFFER]} | fields)

    def lease(self) -> Held | None:
        """The next item, None if there is none."""
        response = self.ask().raise_for_status()
        return Held(self.http, self.store, response.json()) if response.status_code == 200 else None

    def must_lease(self) -> Held:
        """The next item, which there must be."""
        held = self.lease()
        assert held is not None, "there is no item to lease"
        return held

    def finish_all(self) -> None:
        """Let every waiting item succeed."""
        while (held := self.lease()) is not None:
            held.succeed()


def _upload(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "size_bytes": len(content), "checksum_base64_crc32c": crc32c(content)}
