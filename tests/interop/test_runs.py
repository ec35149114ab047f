"""The published client's commands for runs, from a folder of slides to the results and their end."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.interop.published_client import Ended, PublishedClient, json_of

from coverslip.slides.crc32c import crc32c_file

LATER = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
OUTPUTS = {
    f"{stage}_{name}"
    for stage in ("tissue_qc", "tissue_segmentation")
    for name in ("csv_class_information.csv", "geojson_polygons.json", "segmentation_map_image.tiff")
}


@dataclass(frozen=True)
class Executed:
    """A run that `execute` did from its slide to its results."""

    run_id: str
    external_id: str
    folder: Path
    ended: Ended


def run_id_of(ended: Ended) -> str:
    """Which run a command says that it has submitted."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = re.search(r"Submitted run with id '([0-9a-f-]+)' for", ended.stdout)
    assert found, ended.stdout
    return found[1]


@pytest.fixture(scope="module")
def executed(client: PublishedClient, slide: Path, tmp_path_factory: pytest.TempPathFactory) -> Executed:
    folder = tmp_path_factory.mktemp("executed")
    slides = folder / "slides"
    slides.mkdir()
    shutil.copy(slide, slides)
    note = ("--note", "Done in one go", "--due-date", LATER.isoformat())
    arguments = ("test-app", str(folder / "metadata.csv"), str(slides), *note)
    ended = client.run("application", "run", "execute", *arguments)
    return Executed(run_id_of(ended), str(slides / slide.name), folder, ended)


def test_execute_goes_from_slides_to_results(executed: Executed) -> None:
    results = executed.folder / executed.run_id / Path(executed.external_id).stem
    assert {path.name for path in results.iterdir()} == OUTPUTS


def test_a_run_is_described(client: PublishedClient, executed: Executed) -> None:
    described: Any = json_of(client.run("application", "run", "describe", executed.run_id, "--format", "json"))
    assert (described["state"], described["termination_reason"]) == ("TERMINATED", "ALL_ITEMS_PROCESSED")
    assert datetime.fromisoformat(described["scheduling"]["due_date"]) == LATER
    assert described["custom_metadata"]["sdk"]["note"] == "Done in one go"
    (item,) = described["items"]
    assert (item["external_id"], item["output"]) == (executed.external_id, "FULL")
    assert {artifact["output"] for artifact in item["output_artifacts"]} == {"AVAILABLE"}
    text = client.run("application", "run", "describe", executed.run_id).stdout
    for expected in (executed.run_id, "ALL_ITEMS_PROCESSED", "tissue_qc:geojson_polygons"):
        assert expected in text
    summary = client.run("application", "run", "describe", executed.run_id, "--summarize").stdout
    assert executed.external_id in summary
    assert "tissue_qc:geojson_polygons" not in summary


def test_results_are_downloaded_once(client: PublishedClient, executed: Executed, tmp_path: Path) -> None:
    command = ("application", "run", "result", "download", executed.run_id, str(tmp_path))
    flat = ("--no-create-subdirectory-for-run", "--no-wait-for-completion")
    for _ in range(2):
        ended = client.run(*command, *flat)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        results = tmp_path / Path(executed.external_id).stem
        assert {path.name for path in results.iterdir()} == OUTPUTS


def test_from_the_table_to_a_cancelled_run(
    client: PublishedClient, slide: Path, tmp_path: Path, resting_worker: None
) -> None:
    (tmp_path / "slides").mkdir()
    shutil.copy(slide, tmp_path / "slides")
    table = str(tmp_path / "metadata.csv")
    mapping = ("--mapping", r"small.*\.tiff$:tissue=LUNG,disease=LUNG_CANCER")
    prepared = client.run("application", "run", "prepare", "test-app", table, str(tmp_path / "slides"), *mapping)
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    assert f"{slide.name};{crc32c_file(slide)};0.5;1024;768;;LUNG;LUNG_CANCER;" in Path(table).read_text()
    uploaded = client.run("application", "run", "upload", "test-app", table, "--upload-prefix", "table")
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    assert f"/table/test-app/1.0.0/{slide.name}" in Path(table).read_text()
    wishes = ("--tags", "breast,second opinion", "--note", 'He said "later"')
    dates = ("--due-date", LATER.isoformat(), "--deadline", (LATER + timedelta(hours=1)).isoformat())
    run_id = run_id_of(client.run("application", "run", "submit", "test-app", table, *wishes, *dates))
    shown = client.person.run(run_id)
    assert shown["custom_metadata"]["sdk"]["tags"] == ["breast", "second opinion"]
    assert datetime.fromisoformat(shown["scheduling"]["deadline"]) == LATER + timedelta(hours=1)
    cancelled = client.run("application", "run", "cancel", run_id)
    assert f"Run with ID '{run_id}' has been canceled." in cancelled.stdout, cancelled.stdout + cancelled.stderr
    described = client.run("application", "run", "describe", run_id)
    assert "CANCELED_BY_USER" in described.stdout
    again = client.run("application", "run", "cancel", run_id)
    assert (again.returncode, "409" in again.stdout) == (1, True), again.stdout
    # What is left of a cancelled run can be downloaded, if only nothing.
    assert client.run("application", "run", "result", "download", run_id, str(tmp_path)).returncode == 0


@pytest.fixture(scope="module")
def tagged(client: PublishedClient) -> dict[str, str]:
    """Runs by their notes, oldest first; they are cancelled, for their slides are nowhere."""
    tags = {"Alpha (first)": ["lung", "batch-1"], "beta": ["lung", "batch-2"], "gamma": ["liver"]}
    runs = {note: client.person.submit(custom_metadata=sdk(note, tags[note])) for note in tags}
    for run_id in runs.values():
        client.person.post(f"/api/v1/runs/{run_id}/cancel")  # refused if it has failed already
    return runs


def sdk(note: str, tags: list[str]) -> dict[str, Any]:
    """What the published client keeps about a run of its own."""
    return {"sdk": {"schema_version": "0.0.6", "note": note, "tags": tags}}


@pytest.mark.parametrize(
    ("filters", "notes"),
    [
        (["--tags", "lung"], ["beta", "Alpha (first)"]),
        (["--tags", "lung,batch-2"], ["beta"]),
        (["--tags", "lung", "--limit", "1"], ["beta"]),
        (["--note-regex", r"^alpha"], ["Alpha (first)"]),
        (["--note-regex", r"^alpha", "--no-note-case-insensitive"], []),
        (["--note-regex", "a$", "--tags", "lung"], ["beta"]),
        (["--query", "LIVER"], ["gamma"]),
        (["--query", "batch-1|^gamma$"], ["gamma", "Alpha (first)"]),
    ],
)
def test_runs_are_found(client: PublishedClient, tagged: dict[str, str], filters: list[str], notes: list[str]) -> None:
    listed = json_of(client.run("application", "run", "list", "--format", "json", *filters))
    assert [run["run_id"] for run in listed] == [tagged[note] for note in notes]


def test_runs_are_listed_for_people(client: PublishedClient, tagged: dict[str, str]) -> None:
    listed = client.run("application", "run", "list", "--tags", "lung,batch-1", "--verbose")
    assert tagged["Alpha (first)"] in listed.stdout
    assert "Listed '1' run(s)." in listed.stdout
    assert "No runs found" in client.run("application", "run", "list", "--tags", "nothing").stdout


def test_runs_are_cancelled_by_their_tags(client: PublishedClient, resting_worker: None) -> None:
    runs = [client.person.submit(custom_metadata=sdk("", ["drop"])) for _ in range(2)]
    command = ("application", "run", "cancel-by-filter", "--tags", "drop", "--application-id", "test-app")
    assert "Would cancel 2 run(s)" in client.run(*command, "--dry-run").stdout
    assert "Successfully canceled 2 run(s)." in client.run(*command).stdout
    assert {client.person.run(run_id)["termination_reason"] for run_id in runs} == {"CANCELED_BY_USER"}


def test_results_are_deleted(client: PublishedClient, executed: Executed, tmp_path: Path) -> None:
    deleted = client.run("application", "run", "result", "delete", executed.run_id)
    assert f"Results for run with ID '{executed.run_id}' have been deleted." in deleted.stdout, deleted.stderr
    described: Any = json_of(client.run("application", "run", "describe", executed.run_id, "--format", "json"))
    assert described["termination_reason"] == "ALL_ITEMS_PROCESSED"
    (item,) = described["items"]
    assert {artifact["output"] for artifact in item["output_artifacts"]} == {"DELETED_BY_USER"}
    ended = client.run("application", "run", "result", "download", executed.run_id, str(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
