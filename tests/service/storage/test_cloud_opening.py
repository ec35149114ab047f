"""Opening a cloud store: what is wrong is said before the service starts."""

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coverslip.embedded.ports import free_port
from coverslip.service.settings import ServiceSettings, SettingsInvalid
from coverslip.service.storage.backends import CloudExtraMissing, StoreUrlUnsupported, open_store
from coverslip.service.storage.cloud_opening import StoreUnusable
from harness.s3 import S3Server, store_settings

KEYS = {"store_access_key_id": "key", "store_secret_access_key": "secret"}


@pytest.mark.parametrize("url", ["az://container", "s3:///prefix", "gs://", "file://host/folder", "bucket"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(StoreUrlUnsupported, match="s3://bucket/prefix"):
        open_store(store_settings(store_url=url))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"store_url": "s3://slides"}, "STORE_SECRET_ACCESS_KEY"),
        ({"store_url": "s3://slides", **KEYS, "store_access_key_id": "ASIA1"}, "STORE_ACCESS_KEY_ID"),
        ({"store_url": "s3://slides", **KEYS, "input_url_lifetime_s": 604_801}, "INPUT_URL_LIFETIME_S"),
        ({"store_url": "file:///folder"}, "STORE_KEY_FILE"),
        ({"store_url": "s3://a//b", **KEYS}, "STORE_URL"),
        ({"store_url": "s3://slides/a//b", **KEYS}, "STORE_URL"),
        ({"store_url": "s3://slides/../b", **KEYS}, "STORE_URL"),
        ({"store_url": "s3://A slide", **KEYS}, "STORE_URL"),
        ({"store_url": "s3://slides", "store_endpoint": "s3.example", **KEYS}, "STORE_ENDPOINT"),
        ({"store_url": "gs://slides"}, "STORE_SERVICE_ACCOUNT_FILE"),
        (
            {"store_url": "gs://slides", "store_service_account_file": __file__, "store_endpoint": "google"},
            "STORE_ENDPOINT",
        ),
        ({"store_url": "gs://slides", "store_service_account_file": __file__}, "STORE_SERVICE_ACCOUNT_FILE"),
        ({"store_url": "gs://slides", "store_service_account_file": "no/file"}, "STORE_SERVICE_ACCOUNT_FILE"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        open_store(store_settings(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"store_url": "s3://no-such-bucket/site"},
        {"store_access_key_id": "another"},
        {"store_secret_access_key": "another secret"},
    ],
)
def test_a_store_that_refuses_is_named(server: S3Server, wrong: dict[str, str]) -> None:
    with pytest.raises(StoreUnusable, match=wrong.get("store_url", "s3://slides/site")):
        open_store(server.settings("site", **wrong))


def test_a_store_that_is_away_is_named() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StoreUnusable, match="s3://slides"):
        open_store(store_settings(store_url="s3://slides", store_endpoint=endpoint, **KEYS))


def test_trying_leaves_nothing(server: S3Server) -> None:
    open_store(server.settings("tried-only"))
    assert server.objects("tried-only") == {}


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = builtins.__import__

    def without_obstore(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "obstore" or name.endswith("cloud_opening"):
            raise ModuleNotFoundError(f"No module named '{name}'", name="obstore")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_obstore)
    with pytest.raises(CloudExtraMissing, match=r"pip install 'coverslip\[server,cloud\]'"):
        open_store(store_settings(store_url="s3://slides"))


def test_the_usual_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables = {
        "COVERSLIP_DATABASE_URL": "postgresql://",
        "COVERSLIP_ENCRYPTION_KEY_FILE": "none",
        "COVERSLIP_STORE_URL": "s3://slides",
        "COVERSLIP_STORE_REGION": "eu-west-1",
        "AWS_REGION": "us-west-2",
        "AWS_ENDPOINT_URL": "https://s3.example",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = ServiceSettings(_env_file=None)  # type: ignore[call-arg]
    assert (settings.store_region, settings.store_endpoint) == ("eu-west-1", "https://s3.example")
    assert settings.store_access_key_id == "key"
    assert settings.store_secret_access_key is not None
    assert settings.store_secret_access_key.get_secret_value() == "secret"
    assert settings.store_service_account_file == tmp_path / "key.json"
