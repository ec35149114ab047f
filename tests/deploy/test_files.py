"""The deployment files: what they set is a setting, what they run is a command, and nobody has needless rights."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coverslip.service import __main__ as service
from coverslip.service.settings import ServiceSettings
from coverslip.worker.__main__ import parser as worker_parser
from coverslip.worker.settings import WorkerSettings

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
GUIDES = [REPOSITORY / "docs/how-to" / name for name in ("run-on-several-machines.md", "run-on-slurm.md")]
KUBERNETES = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}")
    for path in sorted(DEPLOY.glob("kubernetes/*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
SECRETIVE = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY|_KEY$")


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a document."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from nodes(branch)


def pods(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in nodes(document) if "containers" in node]


@pytest.mark.parametrize("file", [*FILES, *GUIDES], ids=lambda file: file.name)
def test_every_variable_is_a_setting(file: Path) -> None:
    known = {f"COVERSLIP_{name.upper()}" for model in (ServiceSettings, WorkerSettings) for name in model.model_fields}
    named = set(re.findall(r"COVERSLIP_[A-Z_]*[A-Z]", file.read_text()))
    assert named <= known


def commands(text: str) -> Iterator[list[str]]:
    """The commands of ours in a file, be they lines of a shell or lists of words."""
    for words in re.findall(r"\[((?:python, -m, coverslip|coverslip, )[^]]*)\]", text):
        yield [word.strip(' "') for word in words.split(",")]
    for line in re.findall(
        r"^[ \t]*(?:exec )?((?:python -m coverslip\.|coverslip worker)[^\n#&]*)", text, re.MULTILINE
    ):
        yield shlex.split(line)
    for words in re.findall(r"exec service (python -m coverslip[^\n]*)", text):
        yield shlex.split(words)


@pytest.mark.parametrize("file", [*FILES, *GUIDES], ids=lambda file: file.name)
def test_every_command_is_understood(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_serve", "_migrate"):
        monkeypatch.setattr(service, name, lambda *arguments: 0)

    async def link(*arguments: object, **more: object) -> int:
        return 0

    monkeypatch.setattr(service, "_login_link", link)
    for words in commands(file.read_text()):
        if words[:2] == ["coverslip", "worker"]:
            assert worker_parser().parse_args(words[2:]).engine in ("local", "ray", None)
        else:
            assert words[:3] == ["python", "-m", "coverslip.service"]
            assert service.main(words[3:]) == 0


def test_there_are_commands_to_check() -> None:
    found = {" ".join(words) for file in [*FILES, *GUIDES] for words in commands(file.read_text())}
    assert "python -m coverslip.service migrate" in found
    assert "coverslip worker --engine local" in found
    assert "coverslip worker --engine ray --ray-address coverslip-head-svc:6379" in found
    assert len(found) >= 7


def test_images_are_pinned_by_version() -> None:
    images = re.findall(r"(?:image:|FROM) (\S+)", "\n".join(file.read_text() for file in FILES))
    assert len(images) >= 10
    assert [image for image in images if not re.search(r":v?\d+\.\d+\.?\d*(-[a-z-]+)?$", image)] == []


def test_the_image_and_the_cluster_have_the_same_ray() -> None:
    pinned = re.search(r"^ray==(\S+)", (REPOSITORY / "requirements/image.txt").read_text(), re.MULTILINE)
    cluster = yaml.safe_load((DEPLOY / "kubernetes/ray-cluster.yaml").read_text())
    assert pinned is not None
    assert cluster["spec"]["rayVersion"] == pinned[1]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_containers_of_compose_have_few_rights(name: str) -> None:
    container = COMPOSE["services"][name]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(container)
    assert "docker.sock" not in str(container)
    assert all(port.startswith("127.0.0.1:") for port in container.get("ports", []))
    if name != "database":  # it takes its rights away by itself
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert container["read_only"] is True
        assert container.get("user", "10001:10001") == "10001:10001"


def test_the_image_runs_as_an_ordinary_user() -> None:
    users = re.findall(r"^USER (\S+)", (DEPLOY / "compose/Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001:10001"]


@pytest.mark.parametrize("document", KUBERNETES)
def test_pods_have_few_rights(document: dict[str, Any]) -> None:
    for pod in pods(document):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False  # they would be COVERSLIP_ variables
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not any("hostPath" in volume for volume in pod.get("volumes", []))
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in container["securityContext"]


@pytest.mark.parametrize("document", KUBERNETES)
def test_objects_of_kubernetes_name_each_other(document: dict[str, Any]) -> None:
    known = {(other.values[0]["kind"], other.values[0]["metadata"]["name"]) for other in KUBERNETES}
    for node in nodes(document):
        if "configMapRef" in node:
            assert ("ConfigMap", node["configMapRef"]["name"]) in known
    for pod in pods(document):
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        mounted = {mount["name"] for each in pod["containers"] for mount in each.get("volumeMounts", [])}
        assert mounted == volumes


def test_no_secret_is_written_down() -> None:
    for node in nodes(COMPOSE):
        for name, value in node.items():
            if SECRETIVE.search(str(name)):
                assert str(value).startswith(("${", "/run/secrets/"))
    for parameter in KUBERNETES:
        assert parameter.values[0]["kind"] != "Secret"
        for node in nodes(parameter.values[0]):
            if SECRETIVE.search(str(node.get("name"))):
                assert "secretKeyRef" in node["valueFrom"]
            for name, value in node.items():
                if SECRETIVE.search(str(name)):
                    assert str(value).startswith("/run/secrets/")
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "compose/env.example").read_text(), re.MULTILINE))
    assert {name for name in example if SECRETIVE.search(name)} == {
        name for name, value in example.items() if not value
    }


def test_the_example_names_all_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose/compose.yaml").read_text()))
    given = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "compose/env.example").read_text(), re.MULTILINE))
    assert asked == given


@pytest.mark.parametrize(("shell", "script"), [("bash", "slurm/coverslip.sbatch"), ("sh", "compose/roles.sh")])
def test_scripts_can_be_read_by_their_shell(shell: str, script: str) -> None:
    subprocess.run([shell, "-n", str(DEPLOY / script)], check=True)
