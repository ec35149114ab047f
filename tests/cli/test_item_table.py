"""What is said of the slides of a run beside their table."""

from typing import Any

from coverslip.cli.item_table import remarks_on
from coverslip.contract.items import ItemResultReadResponse

ID = "00000000-0000-0000-0000-000000000001"


def item(external_id: str, *metadata: dict[str, Any] | None, error: str | None = None) -> ItemResultReadResponse:
    """One with an artifact for each ``metadata``."""
    artifacts = [
        {"output_artifact_id": ID, "name": "x", "metadata": each, "state": "TERMINATED", "output": "AVAILABLE"}
        for each in metadata
    ]
    return ItemResultReadResponse.model_validate(
        {
            "item_id": ID,
            "external_id": external_id,
            "custom_metadata": None,
            "state": "TERMINATED",
            "output": "NONE" if error else "FULL",
            "termination_reason": "USER_ERROR" if error else "SUCCEEDED",
            "error_code": "INPUT.NO_TISSUE" if error else None,
            "error_message": error,
            "input_artifacts": [],
            "output_artifacts": artifacts,
        }
    )


def test_errors_and_warnings_stand_under_their_slide() -> None:
    doubted = item("a/2.svs", {"warnings": ["look"]}, {"warnings": ["look", "twice"]}, {"media_type": "text/csv"}, None)
    remarks = list(remarks_on([item("a/1.svs", error="There is none."), doubted, item("a/3.svs", {"warnings": []})]))
    assert remarks == [
        "a/1.svs\n  INPUT.NO_TISSUE: There is none.",
        "a/2.svs\n  warning: look",
        "a/2.svs\n  warning: twice",
    ]


def test_what_other_applications_call_warnings_is_no_matter() -> None:
    assert list(remarks_on([item("1.svs", {"warnings": 3}, {"warnings": {"a": 1}})])) == []
