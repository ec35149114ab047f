"""Names on disk: whatever the platform says, files stay in their folder and never meet."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.items import ItemResultReadResponse
from coverslip.platform.errors import ChecksumMissing
from coverslip.platform.layout import file_ending, item_folders, planned_files, run_folder, safe_name

NASTY = st.text() | st.sampled_from(
    ["..", ".", "", "/", "../../etc/passwd", "C:\\x\\a.svs", "NUL", "a/b.svs", "A/b.tif"]
)


def item(external_id: str, *artifacts: tuple[str, str], output: str = "FULL") -> ItemResultReadResponse:
    return ItemResultReadResponse.model_validate(
        {
            "item_id": UUID(int=1),
            "external_id": external_id,
            "custom_metadata": None,
            "state": "TERMINATED",
            "output": output,
            "input_artifacts": [],
            "output_artifacts": [
                {
                    "output_artifact_id": UUID(int=number),
                    "name": name,
                    "metadata": {"media_type": media_type, "checksum_base64_crc32c": "AAAAAA=="},
                    "state": "TERMINATED",
                    "output": "AVAILABLE",
                }
                for number, (name, media_type) in enumerate(artifacts)
            ],
        }
    )


def test_paths_are_the_published_ones() -> None:
    folder = run_folder(Path("/results"), "0b1c")
    artifacts = (("tissue_qc:geojson_polygons", "application/geo+json"), ("out:csv", "text/csv"))
    plan = planned_files(folder, [item("/x/s1.tiff", *artifacts)])
    assert sorted(str(file.path) for file in plan) == [
        "/results/0b1c/s1/out_csv.csv",
        "/results/0b1c/s1/tissue_qc_geojson_polygons.json",
    ]


def test_items_without_full_output_give_nothing_yet() -> None:
    assert planned_files(Path("/r"), [item("/x/s1.tiff", ("out:csv", "text/csv"), output="NONE")]) == []


def test_slides_of_one_name_get_folders_of_their_own() -> None:
    folders = item_folders(["/a/s1.svs", "/b/s1.svs", "/a/S1.tiff", "/a/s2.svs"])
    assert folders["/a/s2.svs"] == "s2"
    assert len({name.casefold() for name in folders.values()}) == 4


def test_a_folder_does_not_depend_on_the_order_of_items() -> None:
    ids = ["/a/s1.svs", "/b/s1.svs", "/c/s2.svs"]
    assert item_folders(ids) == item_folders(reversed(ids))


@given(st.lists(NASTY, unique=True, max_size=8), st.lists(NASTY, unique=True, max_size=4), st.booleans())
def test_files_stay_inside_and_apart(external_ids: list[str], names: list[str], per_item: bool) -> None:
    items = [item(external_id, *((name, "text/csv") for name in names)) for external_id in external_ids]
    folder = Path("/results/run")
    plan = planned_files(folder, items, create_subdirectory_per_item=per_item)
    assert len(plan) == len(external_ids) * len(names)
    assert len({str(file.path).casefold() for file in plan}) == len(plan)
    for file in plan:
        relative = file.path.relative_to(folder)
        assert len(relative.parts) == (2 if per_item else 1)
        assert ".." not in relative.parts
        assert not {"\0", "\n", "\\", ":"} & set(str(relative))


@given(NASTY)
def test_a_safe_name_is_one_plain_name(name: str) -> None:
    cleaned = safe_name(name)
    assert cleaned
    assert Path(cleaned).name == cleaned
    assert len(cleaned.encode()) <= 120
    assert safe_name(cleaned) == cleaned


def test_unknown_media_types_have_an_ending_too() -> None:
    assert file_ending("application/x-never-heard-of") == ".bin"


def test_a_file_that_cannot_be_checked_is_not_planned() -> None:
    unchecked = item("/x/s1.tiff", ("out:csv", "text/csv"))
    unchecked.output_artifacts[0].metadata = {"media_type": "text/csv"}
    with pytest.raises(ChecksumMissing, match="out:csv"):
        planned_files(Path("/r"), [unchecked])
