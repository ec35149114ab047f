"""Every operation of the client's generated part, called once: each answers with the type that it declares."""

import json
from typing import Any

from tests.interop.published_client import PublishedClient

CALLS = """
import inspect, json, sys, typing
from aignostics.platform import Client
from aignx.codegen import models
from aignx.codegen.api.public_api import PublicApi

run_id, url = sys.argv[1:]
api = Client.get_api_client()
left = {
    name
    for name, method in vars(PublicApi).items()
    if inspect.isfunction(method)
    and not name.startswith("_")
    and not name.endswith(("_with_http_info", "_without_preload_content"))
}
wrong = []

def fits(answer, declared):
    if typing.get_origin(declared) is list:
        (kind,) = typing.get_args(declared)
        return isinstance(answer, list) and len(answer) > 0 and all(isinstance(one, kind) for one in answer)
    return answer is None if declared is None else isinstance(answer, declared)

def call(name, *arguments, **options):
    left.remove(name)
    answer = getattr(api, name)(*arguments, **options)
    declared = inspect.signature(getattr(PublicApi, name)).return_annotation
    if not fits(answer, declared):
        wrong.append(f"{name} declares {declared} and answers {answer!r}"[:300])
    return answer

me = call("get_me_v1_me_get")
call("list_applications_v1_applications_get", page=1, page_size=20, sort=["+name"])
call("read_application_by_id_v1_applications_application_id_get", "test-app")
version = ("test-app", "1.0.0")
call("application_version_details_v1_applications_application_id_versions_version_get", *version)
(card,) = call("list_version_documents", *version)
call("get_version_document", *version, card.name)
call("get_version_document_file", *version, card.name)
call("get_version_document_content", *version, card.name)

slide = models.InputArtifactCreationRequest(
    name="whole_slide_image", download_url=url, metadata={"checksum_base64_crc32c": "AAAAAA=="}
)
item = models.ItemCreationRequest(external_id="a/b", input_artifacts=[slide], custom_metadata=None)
request = models.RunCreationRequest(application_id="test-app", items=[item], custom_metadata={"a": [1]})
created = call("create_run_v1_runs_post", request)
call("cancel_run_v1_runs_run_id_cancel_post", created.run_id)
call(
    "list_runs_v1_runs_get", application_id="test-app", application_version="1.0.0", external_id="a/b",
    custom_metadata="$.a[*] ? (@ == 1)", page=1, page_size=5, submitted_by="me", organization_id="my_org",
    sort=["-submitted_at", "+run_id"],
)
call("get_run_v1_runs_run_id_get", run_id)
(item,) = call(
    "list_run_items_v1_runs_run_id_items_get", run_id, state=models.ItemState.TERMINATED,
    termination_reason=models.ItemTerminationReason.SUCCEEDED, page=1, page_size=5, sort=["-external_id"],
)
call("get_item_by_run_v1_runs_run_id_items_external_id_get", run_id, item.external_id)
(polygons,) = [one for one in item.output_artifacts if one.name == "tissue_qc:geojson_polygons"]
found = call("get_artifact_url_v1_runs_run_id_artifacts_artifact_id_file_get", run_id, polygons.output_artifact_id)
assert found["type"] == "FeatureCollection", found
update = models.CustomMetadataUpdateRequest(custom_metadata={"b": None})
call("put_run_custom_metadata_v1_runs_run_id_custom_metadata_put", created.run_id, update)
call("put_item_custom_metadata_by_run_v1_runs_run_id_items_external_id_custom_metadata_put",
     created.run_id, "a/b", update)
call("delete_run_items_v1_runs_run_id_artifacts_delete", created.run_id)

token = call("create_share_token_v1_access_share_tokens_post", models.ShareTokenCreateRequest(expires_at=None))
grant = call("create_grant_v1_access_grants_post", models.GrantCreateRequest(
    resource_type=models.ResourceType.RUN, resource_id=run_id, subject_type=models.SubjectType.SHARE_TOKEN,
    subject_id=token.share_token_id, relation=models.GrantRelation.VIEWER,
))
call(
    "list_grants_v1_access_grants_get", resource_type=models.ResourceType.RUN, resource_id=run_id,
    subject_type=models.SubjectType.SHARE_TOKEN, subject_id=token.share_token_id,
    relation=[models.GrantRelation.VIEWER], revoked=False, page=1, page_size=5, sort=["-created_at"],
)
call("get_grant_v1_access_grants_grant_id_get", grant.grant_id)
call(
    "list_share_tokens_v1_access_share_tokens_get", run_id=run_id, created_by=me.user.id, revoked=False,
    page=1, page_size=5, sort=["-created_at"],
)
call("get_share_token_v1_access_share_tokens_share_token_id_get", token.share_token_id)
call("revoke_grant_v1_access_grants_grant_id_delete", grant.grant_id)
call("revoke_share_token_v1_access_share_tokens_share_token_id_delete", token.share_token_id)

print(json.dumps({"not called": sorted(left), "wrong": wrong}))
"""


def test_every_operation_answers_as_declared(
    published: PublishedClient, finished_run: Any, resting_worker: None
) -> None:
    ended = published.script(CALLS, finished_run["run_id"], "https://slides.example/a.tiff")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {"not called": [], "wrong": []}
