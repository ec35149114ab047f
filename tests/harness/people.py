"""People who use the API, and what they send."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from coverslip.service.access.principal import Role
from harness.worker import TLS, crc32c

CHECKSUM = "AAAAAA=="


class Person(httpx.Client):
    """A signed-in user; an `httpx.Client` that carries their token and follows no redirects."""

    def __init__(self, url: str, token: str, *, user_id: str, organization_id: str, email: str, role: Role) -> None:
        super().__init__(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, verify=TLS)
        self.token = token
        self.user_id = user_id
        self.organization_id = organization_id
        self.email = email
        self.role = role

    def submit(self, *external_ids: str, **fields: Any) -> str:
        """Submit a run with these slides; its id."""
        response = self.post("/api/v1/runs", json=run_request(*external_ids, **fields))
        assert response.status_code == 201, response.text
        return str(UUID(response.json()["run_id"]))

    def upload(self, name: str, content: bytes) -> str:
        """Put a file into the organization's bucket; the URL to submit it by."""
        announced = {"name": name, "size_bytes": len(content), "checksum_base64_crc32c": crc32c(content)}
        upload = self.post("/api/coverslip/v1/uploads", json=announced).raise_for_status().json()
        path = f"/api/coverslip/v1/uploads/{upload['upload_id']}"
        for part in upload["missing_parts"]:
            piece = content[part["offset_bytes"] :][: part["size_bytes"]]
            request = {"checksum_base64_crc32c": crc32c(piece)}
            url = self.post(f"{path}/parts/{part['number']}", json=request).raise_for_status().json()["upload_url"]
            httpx.put(url, content=piece, verify=TLS).raise_for_status()
        return str(self.post(f"{path}/complete").raise_for_status().json()["download_url"])

    def share_token(self, **fields: Any) -> Any:
        """A new share token, with its secret."""
        return self.post("/api/v1/access/share-tokens", json=fields).raise_for_status().json()

    def grant(self, resource_type: str, resource_id: str, subject_type: str, subject_id: str) -> Any:
        """Let somebody read something; the grant."""
        answer = self.post(
            "/api/v1/access/grants", json=grant_request(resource_type, resource_id, subject_type, subject_id)
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def run(self, run_id: str) -> Any:
        """The run as the API shows it."""
        response = self.get(f"/api/v1/runs/{run_id}")
        assert response.status_code == 200, response.text
        return response.json()

    def items(self, run_id: str) -> Any:
        """The run's items as the API shows them."""
        response = self.get(f"/api/v1/runs/{run_id}/items", params={"page_size": 100})
        assert response.status_code == 200, response.text
        return response.json()


def grant_request(
    resource_type: str, resource_id: str, subject_type: str, subject_id: str | None, **fields: Any
) -> dict[str, Any]:
    """The body of a request to share something."""
    request = {"resource_type": resource_type, "resource_id": resource_id, "subject_type": subject_type}
    return request | {"subject_id": subject_id, "relation": "viewer"} | fields


def run_request(*external_ids: str, **fields: Any) -> dict[str, Any]:
    """The body of a valid request for a run of these slides."""
    slides = [item_request(external_id) for external_id in external_ids or ("slide-1",)]
    return {"application_id": "test-app", "items": slides} | fields


def item_request(external_id: str, *, url: str = "https://slides.example/s.svs", **fields: Any) -> dict[str, Any]:
    """A slide of a run."""
    metadata = {"checksum_base64_crc32c": CHECKSUM, "resolution_mpp": 0.25, "width_px": 1000, "height_px": 800}
    artifact = {"name": "whole_slide_image", "download_url": url, "metadata": metadata}
    return {"external_id": external_id, "input_artifacts": [artifact]} | fields


def item_path(run_id: str, external_id: str) -> str:
    """The address of an item, as the published client writes it: nothing is left unescaped."""
    escaped = quote(external_id, safe="")
    if escaped in (".", ".."):  # which clients take for themselves
        escaped = escaped.replace(".", "%2E")
    return f"/api/v1/runs/{run_id}/items/{escaped}"
