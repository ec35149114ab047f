"""Each of the real slides ends in the Test Application as it should: processed, or refused with what to do about it."""

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from coverslip.applications.errors import UserError
from coverslip.applications.manifest import load_manifest
from coverslip.applications.protocol import InputFile, Item
from coverslip.applications.registry import load_process
from coverslip.applications.test_app import MANIFEST
from coverslip.slides import inspect
from coverslip.slides.errors import NotAVolume
from coverslip.workflow.metadata import artifact_metadata
from coverslip.workflow.prepare import read_slide

SCHEMA = load_manifest(MANIFEST).versions[0].input_artifacts[0].metadata_schema
TCGA = "TCGA-CR-7395-01A-01-TS1.crop.svs"
VOLUME = "TCGA-LUAD_86-6562_volume_8mpp.dcm"
THUMBNAIL = "TCGA-LUAD_91-6830_thumbnail.dcm"


class Published:
    """Outputs that remember the names of what was published."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names: list[str] = []

    def write(self, name: str, path: Path, metadata: object) -> None:
        assert path.stat().st_size > 0
        self.names.append(name)


def process(path: Path, folder: Path, metadata: dict[str, object]) -> list[str]:
    """The names of the artifacts that the Test Application makes of a slide."""
    outputs = Published(folder)
    item = Item("item-1", path.name, {"whole_slide_image": InputFile(path, metadata)})
    load_process("test-app", "1.0.0")(item, outputs, lambda _stage, _fraction: None)
    return outputs.names


def prepared(path: Path) -> dict[str, object]:
    """The metadata that a client makes of a slide."""
    return artifact_metadata(read_slide(path), SCHEMA)


@pytest.mark.parametrize(
    "name", ["CMU-1-Small-Region.svs", "CMU-1-Small-Region.pyramid.tif", "CMU-1-Small-Region.ome.tif"]
)
def test_processed(slides: Path, tmp_path: Path, name: str) -> None:
    metadata = prepared(slides / name)
    jsonschema.Draft202012Validator(SCHEMA).validate(metadata)
    assert metadata["resolution_mpp"] == pytest.approx(0.499)
    assert len(process(slides / name, tmp_path, metadata)) == 6


@pytest.mark.parametrize(("name", "mpp"), [("CMU-1-small.tiff", 3.195), (VOLUME, 8.065)])
def test_refused_as_too_coarse(slides: Path, tmp_path: Path, name: str, mpp: float) -> None:
    metadata = prepared(slides / name)
    assert metadata["resolution_mpp"] == pytest.approx(mpp, abs=0.001)
    with pytest.raises(jsonschema.ValidationError, match=r"greater than the maximum of 0\.55"):
        jsonschema.Draft202012Validator(SCHEMA).validate(metadata)
    # A client that leaves the resolution out gets past the schema, but not past the slide.
    del metadata["resolution_mpp"]
    jsonschema.Draft202012Validator(SCHEMA).validate(metadata)
    with pytest.raises(UserError, match="20x or 40x") as caught:
        process(slides / name, tmp_path, metadata)
    assert caught.value.code == "INPUT.MPP_OUT_OF_RANGE"


def test_slide_that_does_not_say_its_resolution(slides: Path, tmp_path: Path) -> None:
    metadata = prepared(slides / TCGA)
    assert "resolution_mpp" not in metadata
    jsonschema.Draft202012Validator(SCHEMA).validate(metadata)
    with pytest.raises(UserError, match="state resolution_mpp") as caught:
        process(slides / TCGA, tmp_path, metadata)
    assert caught.value.code == "INPUT.MPP_MISSING"
    assert len(process(slides / TCGA, tmp_path, {**metadata, "resolution_mpp": 0.5})) == 6


def test_thumbnail_is_refused(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAVolume):
        prepared(slides / THUMBNAIL)
    with pytest.raises(UserError, match="VOLUME instance") as caught:
        process(slides / THUMBNAIL, tmp_path, {})
    assert caught.value.code == "SLIDE.NOT_A_VOLUME"


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.ome.tif", VOLUME])
def test_inspected_by_command(slides: Path, name: str) -> None:
    info = inspect(slides / name).info
    told = subprocess.run(
        ["coverslip", "wsi", "inspect", slides / name],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    ).stdout
    for source, mpp in info.mpp_sources.items():
        assert f"{source} {mpp:.4f}" in told
    assert info.reader in told
