"""One file with all that somebody who helps needs to know of a run, and nothing secret."""

import json
import platform
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from coverslip import __version__
from coverslip.platform.client import Client
from coverslip.platform.errors import FolderUnusable, Refused
from coverslip.workflow.redaction import redacted

Row = TypeVar("Row")

_SERVICE_DOCUMENT = "/api/coverslip/v1/openapi.json"


def write_support_bundle(client: Client, run_id: str, path: Path, *, with_metadata: bool = False) -> Path:
    """Write a zip with the run, its items, attempts and events as JSON, and the versions of client and platform.

    The addresses of files are left out, the queries of others, which may be signatures, and custom metadata unless
    `with_metadata`. What the platform refuses to tell is named in ``about.json``.

    Returns
    -------
    The file.

    Raises
    ------
    NotFound
        If there is no such run for the caller.
    FolderUnusable
        If the file cannot be written.
    """
    run = client.run(run_id)
    gathering = _Gathering(with_metadata)
    with _request_ids(client.api.http) as requests:
        documents: dict[str, Any] = {"run": gathering.as_json(run.details())}
        items = gathering.all_of("items", run.results)
        documents["items"] = [gathering.as_json(item) for item in items]
        documents["attempts"] = {
            item.external_id: [
                gathering.as_json(attempt)
                for attempt in gathering.all_of(f"attempts at {item.external_id}", partial(run.attempts, item.item_id))
            ]
            for item in items
        }
        documents["events"] = [gathering.as_json(event) for event in gathering.all_of("events", run.events)]
        version = client.api.read(dict[str, Any], _SERVICE_DOCUMENT).get("info", {}).get("version")
        documents["about"] = {
            "made_at": datetime.now(UTC).isoformat(),
            "client": {"version": __version__, "python": platform.python_version(), "system": platform.platform()},
            "platform": {"version": version, "address": client.api_root},
            "left_out": gathering.left_out,
        }
        documents["requests"] = requests
    try:
        _write(path, documents)
    except OSError as error:
        raise FolderUnusable(path=path.parent, reason=error.strerror or error) from error
    return path


class _Gathering:
    """What could be asked for, and what could not."""

    def __init__(self, with_metadata: bool) -> None:
        self._hidden = set() if with_metadata else {"custom_metadata", "custom_metadata_checksum"}
        self.left_out: dict[str, str] = {}

    def all_of(self, name: str, ask: Callable[[], Iterable[Row]]) -> list[Row]:
        """Everything that is answered; if it is refused, nothing, and why."""
        try:
            return list(ask())
        except Refused as error:
            self.left_out[name] = str(error)
            return []

    def as_json(self, model: BaseModel) -> dict[str, Any]:
        return model.model_dump(mode="json", exclude=self._hidden)


@contextmanager
def _request_ids(http: httpx.Client) -> Iterator[list[dict[str, Any]]]:
    """Each request made meanwhile, by the id under which the platform's log has it."""
    made: list[dict[str, Any]] = []

    def note(response: httpx.Response) -> None:
        made.append(
            {
                "request_id": response.headers.get("x-request-id"),
                "method": response.request.method,
                "path": response.url.path,
                "status": response.status_code,
            }
        )

    http.event_hooks["response"].append(note)
    try:
        yield made
    finally:
        http.event_hooks["response"].remove(note)


def _write(path: Path, documents: dict[str, Any]) -> None:
    # Under another name at first: an interruption leaves no half of it.
    unfinished = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, document in documents.items():
            bundle.writestr(f"{name}.json", json.dumps(redacted(document), indent=2, ensure_ascii=False))
    unfinished.replace(path)
