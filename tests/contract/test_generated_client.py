"""A client generated from our document by openapi-generator is the one that people have, and works."""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from coverslip.service.app import api_v1
from harness.people import run_request
from harness.service import TestService

PACKAGE = "generated_client"

# `# **method**`, then `> ReturnType method(required, optional=optional)`.
_METHOD = re.compile(r"^# \*\*(?P<name>\w+)\*\*\n> (?P<returns>\S+) \w+\((?P<parameters>.*)\)$", re.MULTILINE)

# The page is of an older version of the document than 1.8.0, which names these answers.
_TYPED_SINCE = dict.fromkeys(
    (
        "put_item_custom_metadata_by_run_v1_runs_run_id_items_external_id_custom_metadata_put",
        "put_run_custom_metadata_v1_runs_run_id_custom_metadata_put",
    ),
    "CustomMetadataUpdateResponse",
)


def methods(page: str) -> dict[str, tuple[str, list[str]]]:
    """The methods that a generated page lists, each with its return type and parameters (``name`` or ``name=name``)."""
    return {
        found["name"]: (found["returns"], [each for each in found["parameters"].split(", ") if each])
        for found in _METHOD.finditer(page)
    }


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a freshly generated client, importable as ``PACKAGE``."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(api_v1().openapi()))
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    options = ("-g", "python", "--package-name", PACKAGE)
    done = run([generator, "generate", "-i", document, "-o", folder, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_it_has_the_published_methods(generated: Path, reference: Path) -> None:
    published = methods((reference / "generated-public-api-client.md").read_text())
    own = methods((generated / "docs" / "PublicApi.md").read_text())
    assert len(published) == 13
    assert published.keys() <= own.keys()
    for name, (returns, parameters) in published.items():
        own_returns, own_parameters = own[name]
        assert own_returns == _TYPED_SINCE.get(name, returns), name
        assert set(parameters) <= set(own_parameters), name
        added = [each for each in own_parameters if each not in parameters]
        assert all("=" in each for each in added), f"{name}: what we added must be optional"
        required = [each for each in parameters if "=" not in each]
        assert own_parameters[: len(required)] == required, f"{name}: callers pass these by position"


def test_it_talks_to_the_service(generated: Path, service: TestService) -> None:
    ada = service.member()
    client: Any = importlib.import_module(PACKAGE)
    configuration = client.Configuration(host=f"{service.url}/api", access_token=ada.token)
    with client.ApiClient(configuration) as connection:
        api = client.PublicApi(connection)
        assert "test-app" in [each.application_id for each in api.list_applications_v1_applications_get()]
        request = client.RunCreationRequest.from_dict(run_request("päth/ä b.svs"))
        run_id = api.create_run_v1_runs_post(request).run_id
        (item,) = api.list_run_items_v1_runs_run_id_items_get(run_id)
        again = api.get_item_by_run_v1_runs_run_id_items_external_id_get(run_id, item.external_id)
        assert again.item_id == item.item_id
        assert api.get_run_v1_runs_run_id_get(run_id).state == client.RunState.PENDING
        with pytest.raises(client.ApiException) as caught:
            api.get_run_v1_runs_run_id_get("00000000-0000-0000-0000-000000000000")
        assert caught.value.status == 404
        names = {name for name, _ in inspect.getmembers(api, inspect.ismethod)}
        assert "cancel_run_v1_runs_run_id_cancel_post_with_http_info" in names
