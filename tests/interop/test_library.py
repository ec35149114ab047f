"""The published client as a library: programs of its users, as they are."""

import json
from pathlib import Path
from typing import Any

from tests.interop.published_client import PublishedClient

from coverslip.slides.crc32c import crc32c_file

SUBMIT = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from aignostics import platform
from aignx.codegen.models import SchedulingRequest

url, checksum, folder = sys.argv[1:]
client = platform.Client()
version = client.application_version("test-app")
slide = platform.InputArtifact(
    name=version.input_artifacts[0].name,
    download_url=url,
    metadata={
        "checksum_base64_crc32c": checksum, "resolution_mpp": 0.5, "width_px": 1024, "height_px": 768,
        "media_type": "image/tiff",
    },
)

def submit(external_id, **wishes):
    item = platform.InputItem(external_id=external_id, input_artifacts=[slide], custom_metadata={"block": "A1"})
    return client.runs.submit("test-app", [item], **wishes)

due = datetime.now(UTC) + timedelta(hours=1)
run = submit(
    "first", custom_metadata={"study": "library"}, scheduling=SchedulingRequest(due_date=due),
    callback_context={"ticket": 7},
)
assert run.details().state in (platform.RunState.PENDING, platform.RunState.PROCESSING)
run.download_to_folder(folder, sleep_interval=1, timeout_seconds=200)

(item,) = run.results(nocache=True)
assert item.custom_metadata["block"] == "A1"
assert [one.item_id for one in run.results(item_ids=[item.item_id])] == [item.item_id]
assert list(run.results(external_ids=["second"])) == []
assert list(run.results(state=platform.ItemState.PENDING)) == []
found = run.results(
    termination_reason=platform.ItemTerminationReason.SUCCEEDED, custom_metadata='$.block ? (@ == "A1")'
)
assert [one.external_id for one in found] == ["first"]
assert str(run) == (
    f"Run `{run.run_id}` (test-app:1.0.0): TERMINATED, 1 items: 0/0/0/0/0/1"
    " [pending/processing/user-error/system-error/skipped/succeeded]"
)
print(json.dumps({"run_id": run.run_id, "scheduled": run.details().scheduling.due_date == due}))

study = '$.study ? (@ == "library")'
assert [one.run_id for one in client.runs.list(custom_metadata=study, sort="-submitted_at")] == [run.run_id]
listed = client.runs.list_data(application_id="test-app", application_version="1.0.0", external_id="first")
assert [one.run_id for one in listed] == [run.run_id]
assert list(client.runs.list(external_id="third", page_size=5)) == []
run.delete()
(item,) = client.run(run.run_id).results()
assert {one.output for one in item.output_artifacts} == {platform.ArtifactOutput.DELETED_BY_USER}
"""

WITH_A_TOKEN = """
import sys
from aignostics import platform
from aignx.codegen.models import SubjectType

token, run_id, waiting_id = sys.argv[1:]
asked = []

def give_token():
    asked.append(token)
    return token

client = platform.Client(token_provider=give_token)
me = client.me()
assert asked
run = client.run(run_id)
before = run.details()

waiting = client.run(waiting_id)
waiting.cancel()
assert waiting.details().state is platform.RunState.TERMINATED
assert waiting.details().termination_reason is platform.RunTerminationReason.CANCELED_BY_USER
assert {item.termination_reason for item in waiting.results()} == {platform.ItemTerminationReason.SKIPPED}

# Custom metadata, with the checksum of what was read.
run.update_custom_metadata({"reader": "Ada"}, custom_metadata_checksum=before.custom_metadata_checksum)
checksum = client.run(run_id).details().custom_metadata_checksum
run.update_custom_metadata({"reader": "Bob"}, custom_metadata_checksum=checksum)
(item,) = run.results()
run.update_item_custom_metadata(item.external_id, {"block": "B2"})
item_checksum = next(run.results()).custom_metadata_checksum
run.update_item_custom_metadata(item.external_id, {"block": "C3"}, custom_metadata_checksum=item_checksum)
for update in (
    lambda: run.update_custom_metadata({}, custom_metadata_checksum=checksum),
    lambda: run.update_item_custom_metadata(item.external_id, {}, custom_metadata_checksum=item_checksum),
):
    try:
        update()
    except platform.ApiException as error:
        assert error.status == 412, error
    else:
        raise AssertionError("it overwrote what it had not read")
assert run.details(nocache=True).custom_metadata["reader"] == "Bob"

# Applications, versions, documents.
(application,) = [one for one in client.applications.list() if one.application_id == "test-app"]
versions = client.applications.versions
latest = versions.latest("test-app")
assert latest.number == application.latest_version.number == versions.list_sorted("test-app")[0].number
assert versions.details("test-app", latest).version_number == latest.number
documents = versions.documents("test-app", None)
(card,) = documents.list()
assert documents.details(card.name).mime_type == "text/markdown"
assert documents.read_content(card.name) == documents.download_to_path(card.name, ".").read_bytes()
try:
    client.application("nope")
except platform.NotFoundException as error:
    assert error.body == '{"detail":"application not found"}', error.body
else:
    raise AssertionError("there is such an application")

# Sharing.
grant = run.grant_access(SubjectType.ORGANIZATION_USER, me.organization.id)
secret = client.share_tokens.create()
by_token = run.grant_access(SubjectType.SHARE_TOKEN, secret.share_token_id)
assert {one.grant_id for one in run.list_share_grants()} == {grant.grant_id, by_token.grant_id}
assert [one.grant_id for one in secret.list_share_grants()] == [by_token.grant_id]
assert secret.share_token_id in {one.share_token_id for one in client.share_tokens.list(run_id=run_id)}
grant.revoke()
by_token.revoke()
assert list(run.list_share_grants()) == []
secret.revoke()
artifact = item.output_artifacts[0]
assert run.get_artifact_download_url(artifact.output_artifact_id).startswith("http")
"""


def succeed(client: PublishedClient, program: str, *arguments: str) -> str:
    """What a program printed, which must have ended well."""
    ended = client.script(program, *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_program_submits_and_downloads(published: PublishedClient, slide: Path, tmp_path: Path) -> None:
    url = published.person.upload(slide.name, slide.read_bytes())
    printed = succeed(published, SUBMIT, url, crc32c_file(slide), str(tmp_path))
    said: Any = json.loads(printed.splitlines()[-1])
    assert said["scheduled"]
    files = {path.name for path in (tmp_path / said["run_id"] / "first").iterdir()}
    assert len(files) == 6
    assert "tissue_qc:geojson_polygons.json" in files


def test_a_program_with_a_token_of_its_own(published: PublishedClient, finished_run: Any, resting_worker: None) -> None:
    """The client logs in all the same when it writes metadata: it adds there who is logged in."""
    waiting = published.person.submit("one", "two")
    succeed(published, WITH_A_TOKEN, published.person.token, finished_run["run_id"], waiting)
