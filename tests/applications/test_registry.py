"""Broken packages among the installed applications."""

import json
import logging
from pathlib import Path

import pytest

from coverslip.applications.errors import ApplicationUnknown
from coverslip.applications.registry import broken, is_reusable, load_process, manifests
from coverslip.applications.test_app import MANIFEST

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.3.0\n"
BROKEN = {
    "raises": "raise RuntimeError('no licence')",
    "imports": "import a_library_that_nobody_has",
    "exits": "import sys\nsys.exit('bye')",
    "forgets": "",
    "lies": "from pathlib import Path\nMANIFEST = Path(__file__).with_name('manifest.json')",
}


def install(folder: Path, name: str, code: str, manifest: str | None = None) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code)
    if manifest is not None:
        (folder / name / "manifest.json").write_text(manifest)
    about = folder / f"{name}-0.3.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA.format(name=name))
    (about / "entry_points.txt").write_text(f"[coverslip.applications]\n{name} = {name}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that this process finds before all others."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_package_is_named_and_costs_no_other(
    packages: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    install(packages, f"broken_{how}", BROKEN[how], '{"application_id": "?"}')
    with caplog.at_level(logging.ERROR):
        found = manifests()
    assert "test-app" in [manifest.application_id for manifest in found]
    (fault,) = broken()
    assert fault.facts["package"] == f"broken_{how} 0.3.0 (broken_{how})"
    assert [record.getMessage() for record in caplog.records] == [str(fault)]
    assert f"broken_{how} 0.3.0" in str(fault)
    assert callable(load_process("test-app", "1.0.0"))
    with pytest.raises(ApplicationUnknown, match=f"not broken_{how} 0.3.0.*which is broken"):
        load_process("lung-nodules", "1.0.0")


def test_a_sound_package_beside_it_is_found(packages: Path) -> None:
    install(packages, "broken", BROKEN["raises"])
    sound = json.loads(MANIFEST.read_text()) | {"application_id": "lung-nodules"}
    del sound["versions"][0]["documents"]
    install(packages, "sound", BROKEN["lies"] + "\ndef process(item, outputs, progress): ...", json.dumps(sound))
    assert "lung-nodules" in [manifest.application_id for manifest in manifests()]
    assert callable(load_process("lung-nodules", "1.0.0"))


def test_a_version_may_say_that_its_results_are_of_one_item_only(packages: Path) -> None:
    manifest = json.loads(MANIFEST.read_text()) | {"application_id": "dice"}
    del manifest["versions"][0]["documents"]
    manifest["versions"][0]["reusable"] = False
    install(packages, "dice", BROKEN["lies"], json.dumps(manifest))
    assert is_reusable("test-app", "1.0.0")
    assert not is_reusable("dice", "1.0.0")
    assert not is_reusable("dice", "2.0.0")
    assert not is_reusable("unknown", "1.0.0")
