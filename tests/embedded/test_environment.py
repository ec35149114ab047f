"""What each part gets to know."""

from urllib.parse import urlsplit

import pytest

from coverslip.embedded.environment import Environments, refuse_foreign_parts
from coverslip.embedded.errors import SettingNotForEmbedded
from coverslip.embedded.home import Home
from coverslip.embedded.secrets import Secrets
from coverslip.models.settings import ModelSettings

INHERITED = {
    "PATH": "/bin",
    "PGHOST": "elsewhere",
    "COVERSLIP_AUDIENCE": "hospital-platform",
    "COVERSLIP_DATABASE_OWNER_URL": "postgresql://somebody",
    "COVERSLIP_WORKER_TOKEN_FILE": "/another",
    "COVERSLIP_LOG_LEVEL": "debug",
    "COVERSLIP_FETCH_ALLOW": "10.0.0.0/8,127.0.0.1",
    "COVERSLIP_MODEL_TISSUE": "our-colon",
}


@pytest.fixture
def environments(home: Home, secrets: Secrets) -> Environments:
    local, public = "http://127.0.0.1:8000", "https://platform.hospital.example"
    return Environments(home, secrets, 5432, local, public, INHERITED)


def test_the_service_gets_settings_but_not_the_owners_rights(environments: Environments, secrets: Secrets) -> None:
    env = environments.service()
    assert env["COVERSLIP_AUDIENCE"] == "hospital-platform"
    assert env["COVERSLIP_PUBLIC_URL"] == "https://platform.hospital.example"
    assert env["COVERSLIP_WORKER_TOKEN_FILE"] == str(secrets.worker_token)
    assert urlsplit(env["COVERSLIP_DATABASE_URL"]).username == "service"
    assert urlsplit(env["COVERSLIP_DATABASE_READER_URL"]).username == "reader"
    assert "COVERSLIP_DATABASE_OWNER_URL" not in env
    assert "PGHOST" not in env


def test_only_administration_gets_the_owners_rights(environments: Environments) -> None:
    url = urlsplit(environments.administration()["COVERSLIP_DATABASE_OWNER_URL"])
    assert (url.username, url.hostname, url.port, url.path) == ("owner", "127.0.0.1", 5432, "/coverslip")


def test_the_worker_gets_neither_database_nor_keys(environments: Environments) -> None:
    env = environments.worker(slots=3)
    assert {name for name in env if name.startswith("COVERSLIP_")} == {
        "COVERSLIP_API_ROOT",
        "COVERSLIP_FETCH_ALLOW",
        "COVERSLIP_LOG_LEVEL",
        "COVERSLIP_MODELS",
        "COVERSLIP_MODEL_TISSUE",
        "COVERSLIP_PARENT_PIPE",
        "COVERSLIP_SCRATCH",
        "COVERSLIP_WORKER_SLOTS",
        "COVERSLIP_WORKER_TOKEN_FILE",
    }
    assert env["COVERSLIP_WORKER_SLOTS"] == "3"
    assert env["COVERSLIP_FETCH_ALLOW"] == "127.0.0.1,platform.hospital.example,10.0.0.0/8"
    assert env["COVERSLIP_MODEL_TISSUE"] == "our-colon"


@pytest.mark.parametrize(("inherited", "folder"), [({}, None), ({"COVERSLIP_MODELS": "/models"}, "/models")])
def test_the_worker_finds_the_models_where_they_were_added(
    home: Home, secrets: Secrets, inherited: dict[str, str], folder: str | None
) -> None:
    url = "http://127.0.0.1:8000"
    env = Environments(home, secrets, 5432, url, url, inherited).worker(slots=1)
    assert env["COVERSLIP_MODELS"] == (folder or str(ModelSettings(home=home.root, models=None).folder))


@pytest.mark.parametrize("setting", ["COVERSLIP_DATABASE_URL", "COVERSLIP_STORE_URL"])
def test_a_database_or_store_of_ones_own_is_not_ignored(setting: str) -> None:
    with pytest.raises(SettingNotForEmbedded, match=setting):
        refuse_foreign_parts({setting: "postgresql://elsewhere"})
    refuse_foreign_parts({})
