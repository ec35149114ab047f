"""A small platform over real sockets that keeps the HTTP contract, and fails on demand."""

import base64
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4, uuid5

import google_crc32c
import uvicorn
from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

NAMESPACE = UUID(int=7)
CHUNK_BYTES = 64 * 1024
OUTPUTS = {"tissue_qc:csv_class_information": "text/csv", "tissue_qc:geojson_polygons": "application/geo+json"}
TEST_APP_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["checksum_base64_crc32c"],
    "properties": {
        "checksum_base64_crc32c": {"type": "string"},
        "resolution_mpp": {"type": ["number", "null"], "minimum": 0.08, "maximum": 0.55},
        "width_px": {"type": ["integer", "null"], "minimum": 1},
        "height_px": {"type": ["integer", "null"], "minimum": 1},
        "media_type": {"type": ["string", "null"]},
    },
}


def specimen(disease: str, tissues: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["disease"],
        "properties": {"disease": {"const": disease}, "tissue": {"enum": tissues}},
    }


HE_TME_SCHEMA = {
    **TEST_APP_SCHEMA,
    "required": ["checksum_base64_crc32c", "staining_method", "specimen"],
    "properties": {
        **TEST_APP_SCHEMA["properties"],  # type: ignore[dict-item]
        "staining_method": {"const": "H&E"},
        "specimen": {
            "anyOf": [
                specimen("LUNG_CANCER", ["LUNG", "BONE", "OTHER"]),
                specimen("BREAST_CANCER", ["BREAST", "OTHER"]),
            ]
        },
    },
}
SCHEMAS = {"test-app": TEST_APP_SCHEMA, "he-tme": HE_TME_SCHEMA}


def crc(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


@dataclass
class Fault:
    """The next `times` requests that match get `status`, or an answer cut after `cut_after` bytes, or damaged bytes."""

    method: str
    path: re.Pattern[str]
    times: int
    status: int | None = None
    cut_after: int | None = None
    damaged: bool = False


@dataclass
class FakePlatform:
    url: str = ""
    access_tokens: set[str] = field(default_factory=lambda: {"good"})
    refresh_tokens: set[str] = field(default_factory=lambda: {"refresh-1"})
    pending_device_polls: deque[str] = field(default_factory=deque)
    links: set[str] = field(default_factory=lambda: {"first", "login-1"})
    set_up: bool = False
    applications: list[str] = field(default_factory=lambda: ["test-app", "he-tme"])
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    part_bytes: int = 2_000_000
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_by_key: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    frozen: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, method: str, path: str, times: int = 1, **how: Any) -> None:
        self.faults.append(Fault(method, re.compile(path), times, **how))

    def fault_for(self, method: str, path: str, *, in_body: bool) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                about_body = fault.cut_after is not None or fault.damaged
                if fault.times and fault.method == method and fault.path.search(path) and about_body is in_body:
                    fault.times -= 1
                    return fault
        return None

    def asked(self, method: str, path: str) -> list[dict[str, str]]:
        return [headers for m, p, headers in self.requests if m == method and re.search(path, p)]

    def new_token(self) -> str:
        token = f"token-{uuid4()}"
        self.access_tokens.add(token)
        return token

    def advance(self, run: dict[str, Any]) -> None:
        """One item further at each look: the next pending one begins, the one that had begun ends."""
        if self.frozen or run["state"] == "TERMINATED":
            return
        for item in run["items"]:
            if item["state"] == "PROCESSING":
                outcome = self.outcomes.get(item["external_id"].rsplit("/", 1)[-1], "SUCCEEDED")
                if outcome == "NEVER":
                    return
                item |= {"state": "TERMINATED", "termination_reason": outcome}
                if outcome == "SUCCEEDED":
                    item["output"] = "FULL"
                else:
                    item |= {"error_code": "SLIDE.NO_TISSUE", "error_message": "No tissue was found."}
        waiting = [item for item in run["items"] if item["state"] == "PENDING"]
        if waiting:
            waiting[0]["state"] = "PROCESSING"
            run["state"] = "PROCESSING"
        else:
            run |= {"state": "TERMINATED", "termination_reason": "ALL_ITEMS_PROCESSED", "output": "FULL"}


def run_view(run: dict[str, Any]) -> dict[str, Any]:
    def count(**wanted: str) -> int:
        return sum(all(item[name] == value for name, value in wanted.items()) for item in run["items"])

    statistics = {
        "item_count": len(run["items"]),
        "item_pending_count": count(state="PENDING"),
        "item_processing_count": count(state="PROCESSING"),
        "item_user_error_count": count(termination_reason="USER_ERROR"),
        "item_system_error_count": count(termination_reason="SYSTEM_ERROR"),
        "item_skipped_count": count(termination_reason="SKIPPED"),
        "item_succeeded_count": count(termination_reason="SUCCEEDED"),
    }
    return {name: value for name, value in run.items() if name != "items"} | {"statistics": statistics}


def new_item(platform: FakePlatform, run_id: str, item: dict[str, Any]) -> dict[str, Any]:
    outputs = []
    for name, media_type in OUTPUTS.items():
        artifact_id = str(uuid5(NAMESPACE, f"{run_id} {item['external_id']} {name}"))
        content = platform.files.setdefault(artifact_id, f"{item['external_id']},{name}\n".encode() * 5000)
        outputs.append(
            {
                "output_artifact_id": artifact_id,
                "name": name,
                "metadata": {"media_type": media_type, "checksum_base64_crc32c": crc(content)},
                "state": "TERMINATED",
                "termination_reason": "SUCCEEDED",
                "output": "AVAILABLE",
            }
        )
    return {
        "item_id": str(uuid5(NAMESPACE, run_id + item["external_id"])),
        "external_id": item["external_id"],
        "custom_metadata": item.get("custom_metadata"),
        "state": "PENDING",
        "output": "NONE",
        "termination_reason": None,
        "input_artifacts": [],
        "output_artifacts": outputs,
    }


def problem(status: int, code: str, detail: str, remedy: str = "", errors: Any = None) -> JSONResponse:
    body = {"status": status, "code": code, "detail": detail, "remedy": remedy, "errors": errors}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def build(platform: FakePlatform) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def watch(request: Request, call_next: Any) -> Response:
        path = request.scope["raw_path"].decode()
        platform.requests.append((request.method, path, dict(request.headers)))
        fault = platform.fault_for(request.method, path, in_body=False)
        if fault is not None:
            return problem(fault.status or 503, "TEST.FAULT", "failing on demand")
        if path.startswith("/api/"):
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in platform.access_tokens:
                return Response("Jwt is missing", status_code=401, media_type="text/plain")
        answer: Response = await call_next(request)
        return answer

    @app.get("/health")
    def health() -> Any:
        return {"status": "UP"}

    @app.post("/oauth/token")
    def token(
        grant_type: str = Form(),
        refresh_token: str = Form(""),
        link_secret: str = Form(""),
        organization: str = Form(""),
    ) -> Any:
        if grant_type == "refresh_token" and refresh_token not in platform.refresh_tokens:
            return oauth_error("invalid_grant", "This session has ended.")
        if grant_type.endswith("device_code") and platform.pending_device_polls:
            return oauth_error(platform.pending_device_polls.popleft(), "")
        if grant_type.endswith("one-time-link"):
            if link_secret not in platform.links:
                return oauth_error("invalid_grant", "This link has been used.")
            if link_secret == "first" and not organization.strip():
                return oauth_error("invalid_request", "The first login sets up the platform: give an organization.")
            platform.links.discard(link_secret)
        platform.refresh_tokens.add("refresh-1")
        answer = {"access_token": platform.new_token(), "token_type": "Bearer", "expires_in": 600}
        return answer if grant_type == "refresh_token" else {**answer, "refresh_token": "refresh-1"}

    def oauth_error(error: str, description: str) -> JSONResponse:
        return JSONResponse({"error": error, "error_description": description}, status_code=400)

    @app.post("/oauth/device/code")
    def device_code() -> Any:
        uri = f"{platform.url}/device"
        return {
            "device_code": "device",
            "user_code": "ABCD-EFGH",
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?user_code=ABCD-EFGH",
            "expires_in": 300,
            "interval": 0,
        }

    @app.post("/oauth/revoke")
    def revoke(token: str = Form()) -> Any:
        platform.refresh_tokens.discard(token)
        return {}

    @app.get("/api/v1/me")
    def me() -> Any:
        bucket = ("hmac_access_key_id", "hmac_secret_access_key", "name", "protocol")
        return {
            "user": {"id": "user-1", "email": "ada@example.org", "name": "Ada"},
            "organization": {
                "id": "org-1",
                "name": "example",
                **{f"aignostics_bucket_{name}": "secret" for name in bucket},
                "aignostics_logfire_token": "",
                "aignostics_sentry_dsn": "",
            },
        }

    @app.get("/api/v1/applications")
    def applications(request: Request, page: int = 1) -> Any:
        size = int(request.query_params["page-size"])
        return [
            {
                "application_id": application_id,
                "name": application_id,
                "regulatory_classes": ["RUO"],
                "description": "for tests",
                "latest_version": {"number": "1.10.0", "released_at": "2026-01-01T00:00:00Z"},
            }
            for application_id in platform.applications[(page - 1) * size : page * size]
        ]

    @app.get("/api/v1/applications/{application_id}")
    def application(application_id: str) -> Any:
        if application_id not in SCHEMAS:
            return problem(404, "CATALOG.APPLICATION_NOT_FOUND", "application not found", "List them first.")
        return {
            "application_id": application_id,
            "name": application_id,
            "regulatory_classes": ["RUO"],
            "description": "for tests",
            "versions": [
                {"number": number, "released_at": "2026-01-01T00:00:00Z"}
                for number in ("1.9.0", "1.10.0", "1.10.0-rc.1")
            ],
        }

    @app.get("/api/v1/applications/{application_id}/versions/{number}")
    def version(application_id: str, number: str) -> Any:
        if application_id not in SCHEMAS:
            return problem(404, "CATALOG.APPLICATION_NOT_FOUND", "application not found")
        output = {"metadata_schema": {}, "scope": "ITEM", "visibility": "EXTERNAL"}
        return {
            "version_number": number,
            "changelog": "none",
            "released_at": "2026-01-01T00:00:00Z",
            "input_artifacts": [
                {"name": "whole_slide_image", "mime_type": "image/tiff", "metadata_schema": SCHEMAS[application_id]}
            ],
            "output_artifacts": [{"name": name, "mime_type": kind, **output} for name, kind in OUTPUTS.items()],
        }

    def shown(upload_id: str) -> dict[str, Any]:
        body = platform.uploads[upload_id]
        key = f"{body['checksum_base64_crc32c'].replace('/', '_')}/{body['name']}"
        offsets = range(0, max(body["size_bytes"], 1), platform.part_bytes)
        parts = [
            {"number": n, "offset_bytes": o, "size_bytes": min(platform.part_bytes, body["size_bytes"] - o)}
            for n, o in enumerate(offsets, start=1)
        ]
        return {
            "upload_id": upload_id,
            "object_key": key,
            "download_url": f"{platform.url}/store/{key}?get={uuid4()}",
            "complete": key in platform.objects,
            "missing_parts": [part for part in parts if (upload_id, part["number"]) not in platform.parts],
        }

    @app.post("/api/coverslip/v1/uploads", status_code=201)
    def begin_upload(body: dict[str, Any]) -> Any:
        known = (upload_id for upload_id, announced in platform.uploads.items() if announced == body)
        upload_id = next(known, None) or str(uuid4())
        platform.uploads[upload_id] = body
        return shown(upload_id)

    @app.post("/api/coverslip/v1/uploads/{upload_id}/parts/{number}")
    def sign_part(upload_id: str, number: int, body: dict[str, Any]) -> Any:
        checksum = quote(body["checksum_base64_crc32c"], safe="")
        return {"upload_url": f"{platform.url}/store/{upload_id}/{number}?crc32c={checksum}"}

    @app.put("/store/{upload_id}/{number}")
    async def put_part(upload_id: str, number: int, crc32c: str, request: Request) -> Any:
        data = await request.body()
        if crc(data) != crc32c:
            return problem(400, "STORE.CHECKSUM_DIFFERS", "The upload has another CRC32C. Nothing was kept.")
        platform.parts[upload_id, number] = data
        return {}

    @app.post("/api/coverslip/v1/uploads/{upload_id}/complete")
    def complete_upload(upload_id: str) -> Any:
        parts = [data for (owner, _), data in sorted(platform.parts.items()) if owner == upload_id]
        if crc(b"".join(parts)) != platform.uploads[upload_id]["checksum_base64_crc32c"]:
            return problem(400, "STORE.CHECKSUM_DIFFERS", "The upload has another CRC32C. Nothing was kept.")
        platform.objects[shown(upload_id)["object_key"]] = b"".join(parts)
        return shown(upload_id)

    @app.post("/api/v1/runs", status_code=201)
    def submit(request: Request, body: dict[str, Any]) -> Any:
        key = request.headers.get("idempotency-key")
        if key is not None and key in platform.run_by_key:
            return {"run_id": platform.run_by_key[key]}
        run_id = str(uuid4())
        platform.runs[run_id] = {
            "run_id": run_id,
            "application_id": body["application_id"],
            "version_number": body["version_number"] or "1.10.0",
            "state": "PENDING",
            "output": "NONE",
            "termination_reason": None,
            "error_code": None,
            "error_message": None,
            "custom_metadata": body.get("custom_metadata"),
            "custom_metadata_checksum": "aaaa",
            "submitted_at": datetime.now(UTC).isoformat(),
            "submitted_by": "user-1",
            "items": [new_item(platform, run_id, item) for item in body["items"]],
        }
        if key is not None:
            platform.run_by_key[key] = run_id
        return {"run_id": run_id}

    @app.get("/api/v1/runs")
    def list_runs(page: int = 1, page_size: int = 50) -> Any:
        newest_first = list(reversed(platform.runs.values()))
        return [run_view(run) for run in newest_first[(page - 1) * page_size : page * page_size]]

    @app.get("/api/v1/runs/{run_id}")
    def run(run_id: UUID) -> Any:
        found = platform.runs.get(str(run_id))
        if found is None:
            return problem(404, "RUN.NOT_FOUND", "run not found")
        platform.advance(found)
        return run_view(found)

    @app.post("/api/v1/runs/{run_id}/cancel", status_code=202)
    def cancel(run_id: UUID) -> Any:
        found = platform.runs[str(run_id)]
        if found["state"] == "TERMINATED":
            return problem(409, "RUN.TERMINATED", "The run has ended already.")
        found |= {"state": "TERMINATED", "termination_reason": "CANCELED_BY_USER"}
        return {}

    @app.delete("/api/v1/runs/{run_id}/artifacts")
    def delete(run_id: UUID) -> Any:
        for item in platform.runs[str(run_id)]["items"]:
            for artifact in item["output_artifacts"]:
                artifact["output"] = "DELETED_BY_USER"
        return {}

    @app.put("/api/v1/runs/{run_id}/custom-metadata")
    def update(run_id: UUID, body: dict[str, Any]) -> Any:
        found = platform.runs[str(run_id)]
        if body.get("custom_metadata_checksum") not in (None, found["custom_metadata_checksum"]):
            return problem(412, "METADATA.CONFLICT", "The metadata has changed since.", "Read it again.")
        found |= {"custom_metadata": body["custom_metadata"], "custom_metadata_checksum": "bbbb"}
        return {"custom_metadata_checksum": "bbbb"}

    @app.get("/api/v1/runs/{run_id}/items")
    def items(run_id: UUID, page: int = 1, page_size: int = 50) -> Any:
        found = platform.runs.get(str(run_id))
        if found is None:
            return problem(404, "RUN.NOT_FOUND", "run not found")
        return found["items"][(page - 1) * page_size : page * page_size]

    @app.get("/api/v1/runs/{run_id}/items/{external_id:path}")
    def item(run_id: UUID, external_id: str) -> Any:
        return next(item for item in platform.runs[str(run_id)]["items"] if item["external_id"] == external_id)

    @app.get("/api/coverslip/v1/runs/{run_id}/progress")
    def progress(run_id: UUID) -> Any:
        return [
            {
                "item_id": item["item_id"],
                "external_id": item["external_id"],
                "attempt": 1,
                "stage": "reading tiles",
                "fraction": 0.5,
            }
            for item in platform.runs[str(run_id)]["items"]
            if item["state"] == "PROCESSING"
        ]

    @app.get("/api/v1/runs/{run_id}/artifacts/{artifact_id}/file")
    def artifact_file(run_id: UUID, artifact_id: UUID) -> Any:
        return RedirectResponse(f"/results/{artifact_id}?signature={uuid4()}", status_code=307)

    @app.get("/results/{artifact_id}")
    def result(artifact_id: UUID, request: Request) -> Any:
        content = platform.files[str(artifact_id)]
        if "authorization" in request.headers:
            return problem(400, "STORE.TWO_PERMISSIONS", "a signed URL takes no token")
        start = int(re.sub(r"\D", "", request.headers.get("range", "0")))
        if start >= len(content):
            return Response(status_code=416)
        fault = platform.fault_for("GET", f"/results/{artifact_id}", in_body=True)
        body = content[start:]
        if fault is not None and fault.damaged:
            body = bytes(255 - byte for byte in body)
        headers = {"Content-Length": str(len(body))}
        if "range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"

        def stream() -> Iterator[bytes]:
            sent = 0
            for offset in range(0, len(body), CHUNK_BYTES):
                chunk = body[offset : offset + CHUNK_BYTES]
                if fault is not None and fault.cut_after is not None and sent + len(chunk) > fault.cut_after:
                    yield chunk[: fault.cut_after - sent]
                    raise ConnectionAbortedError("cut on demand")
                sent += len(chunk)
                yield chunk

        return StreamingResponse(stream(), 206 if "range" in request.headers else 200, headers)

    return app


class Server(uvicorn.Server):
    """uvicorn in a thread, on a free port."""

    def start(self) -> str:
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        while not self.started:
            if not self._thread.is_alive():
                raise RuntimeError("the fake platform did not start")
            time.sleep(0.01)
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        self.should_exit = True
        self._thread.join()


def serve() -> Iterator[FakePlatform]:
    """A running fake platform."""
    platform = FakePlatform()
    config = uvicorn.Config(build(platform), port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = Server(config)
    platform.url = server.start()
    try:
        yield platform
    finally:
        server.stop()
