"""The metadata table: what is written can be read, what cannot be read is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.workflow.errors import BadMapping, TableFaulty, TableUnusable
from coverslip.workflow.mapping import apply_mappings, parse_mapping
from coverslip.workflow.table import SlideRow, keep_entered, read_table, record_uploads, write_table

HEADER = (
    "external_id;checksum_base64_crc32c;resolution_mpp;width_px;height_px;staining_method;tissue;disease;"
    "platform_bucket_url"
)
TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=30)
ROWS = st.lists(
    st.builds(
        SlideRow,
        external_id=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30),
        checksum_base64_crc32c=st.sampled_from(["64RKKA==", "EfIIhA=="]),
        resolution_mpp=st.none() | st.floats(0.01, 100),
        width_px=st.none() | st.integers(0, 10**6),
        height_px=st.none() | st.integers(0, 10**6),
        staining_method=TEXT,
        tissue=TEXT,
        disease=TEXT,
        platform_bucket_url=TEXT,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row.external_id,
)


@given(ROWS)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[SlideRow]) -> None:
    path = tmp_path_factory.mktemp("table") / "slides.csv"
    write_table(path, rows)
    assert read_table(path) == rows


def test_the_columns_are_the_published_ones(tmp_path: Path) -> None:
    path = tmp_path / "slides.csv"
    write_table(path, [SlideRow("/x/a.dcm", "EfIIhA==", 8.065226874391001, 2054, 1529)])
    assert path.read_text() == f"{HEADER}\n/x/a.dcm;EfIIhA==;8.065226874391001;2054;1529;;;;\n"


def test_a_table_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "slides.csv"
    path.write_bytes(
        f"\ufeffcase;{HEADER}\r\n7;/a.svs;64RKKA==;0.0;10;20;H&E;LUNG;LUNG_CANCER;\r\n;;;;;;;;;\r\n".encode()
    )
    assert read_table(path) == [SlideRow("/a.svs", "64RKKA==", None, 10, 20, "H&E", "LUNG", "LUNG_CANCER")]


def test_an_upload_changes_nothing_but_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "slides.csv"
    path.write_text(f"case;{HEADER}\n7;/a.svs;64RKKA==;0.250;10;20;;;;\n8;/b.svs;64RKKA==;0.5;1;2;;;;\n")
    record_uploads(path, {"/b.svs": "http://x/b"})
    assert path.read_text().splitlines()[1:] == [
        "7;/a.svs;64RKKA==;0.250;10;20;;;;",
        "8;/b.svs;64RKKA==;0.5;1;2;;;;http://x/b",
    ]


def test_what_a_person_entered_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "slides.csv"
    new = [SlideRow("/a.svs", "64RKKA==", 0.5, 1, 1), SlideRow("/b.svs", "64RKKA==", None, 1, 1)]
    assert keep_entered(path, new) == new
    write_table(path, [SlideRow("/b.svs", "EfIIhA==", 0.25, 9, 9, tissue="LUNG", platform_bucket_url="http://x/old")])
    kept = SlideRow("/b.svs", "64RKKA==", 0.25, 1, 1, tissue="LUNG")
    assert keep_entered(path, new) == [new[0], kept]


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "thesis.docx"
    path.write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(TableUnusable):
        keep_entered(path, [])


def test_every_fault_is_named_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "slides.csv"
    rows = ["/a.svs;64RKKA==;0,25;1e3;20;;;;", "/a.svs;nonsense;0.25;10;-5;;;;", f"{'x' * 256};64RKKA==;nan;1;1;;;;"]
    path.write_text("\n".join([HEADER, *rows]))
    with pytest.raises(TableFaulty) as caught:
        read_table(path)
    faults = caught.value.facts["faults"]
    assert isinstance(faults, list)
    assert [fault.partition(":")[0] for fault in faults] == [
        "row 2, column resolution_mpp",
        "row 2, column width_px",
        "row 3, column checksum_base64_crc32c",
        "row 3, column height_px",
        "row 3, column external_id",
        "row 4, column external_id",
        "row 4, column resolution_mpp",
    ]
    assert "write it with a point" in faults[0]
    assert "same as in row 2" in faults[4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column external_id"),
        (HEADER.replace(";", ",").encode() + b"\n/a.svs,x", "separated by semicolons"),
        (HEADER.encode(), "no rows"),
        (HEADER.encode() + b"\n/a.svs;64RKKA==;0.25;1;1;;;;;too much", "row 2 has more values"),
        (b"\xff\xfe\x00", "CSV UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "slides.csv"
    path.write_bytes(content)
    with pytest.raises(TableUnusable, match=reason):
        read_table(path)


def test_a_missing_table_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TableUnusable, match="run prepare"):
        read_table(tmp_path / "slides.csv")


def test_mappings_fill_in_columns_in_order() -> None:
    rows = [SlideRow(f"/{name}.svs", "64RKKA==", None, 1, 1) for name in ("lung_1", "breast_1")]
    mappings = [
        parse_mapping(text)
        for text in (".*:staining_method=H&E,tissue=OTHER,resolution_mpp=0.25", r"lung_\d:tissue=LUNG")
    ]
    mapped = apply_mappings(rows, mappings)
    assert [(row.staining_method, row.tissue, row.resolution_mpp) for row in mapped] == [
        ("H&E", "LUNG", 0.25),
        ("H&E", "OTHER", 0.25),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "(:tissue=LUNG", ".*:tissue", ".*:", ".*:tisue=LUNG", ".*:external_id=x", ".*:resolution_mpp=x"],
)
def test_a_bad_mapping_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadMapping, match="staining_method=H&E"):
        parse_mapping(text)
