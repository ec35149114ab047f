"""Whatever an item can end with says what happened and what to do, under a stable code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coverslip.contract.errors import CoverslipError
from coverslip.slides.errors import SlideError
from coverslip.worker.errors import InputFault, PlatformFault

APPLICATIONS = Path(__file__).parents[2] / "src" / "coverslip" / "applications"

CODE = re.compile(r"[A-Z]+(_[A-Z]+)*\.[A-Z]+(_[A-Z]+)*")

CURES = re.compile(
    r"[.;:,] (or )?(ask|check|choose|copy|correct|export|give|leave|open|prepare|sign|state|submit|unpack|upload)\b",
    re.IGNORECASE,
)
"""What the submitter of a slide can do about it, as an own clause after what happened."""


def kinds_of(base: type[CoverslipError]) -> Iterator[type[CoverslipError]]:
    """Every error that is raised as such."""
    for kind in base.__subclasses__():
        yield from kinds_of(kind) if kind.__subclasses__() else [kind]


def message_of(kind: type[CoverslipError]) -> str:
    return " ".join((kind.__doc__ or "").split())


INPUT_FAULTS = [*kinds_of(InputFault), *kinds_of(SlideError), SlideError]
PLATFORM_FAULTS = list(kinds_of(PlatformFault))


@pytest.mark.parametrize("kind", INPUT_FAULTS, ids=lambda kind: kind.__name__)
def test_what_is_wrong_with_an_input_names_the_cure(kind: type[CoverslipError]) -> None:
    assert CODE.fullmatch(kind.code)
    assert CURES.search(message_of(kind)), message_of(kind)


@pytest.mark.parametrize("kind", PLATFORM_FAULTS, ids=lambda kind: kind.__name__)
def test_what_is_wrong_with_the_platform_is_said_in_more_than_one_sentence(kind: type[CoverslipError]) -> None:
    assert CODE.fullmatch(kind.code)
    if not message_of(kind).endswith(": {detail}"):  # the message of another error
        assert len(re.findall(r"[.](?= |$)", message_of(kind))) >= 2, message_of(kind)


def test_no_two_errors_of_an_item_share_a_code() -> None:
    codes = [kind.code for kind in INPUT_FAULTS + PLATFORM_FAULTS]
    assert sorted(set(codes)) == sorted(codes)


def blames() -> Iterator[tuple[str, ast.Call]]:
    """Where our applications say that the input is at fault."""
    for path in sorted(APPLICATIONS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UserError":
                yield f"{path.relative_to(APPLICATIONS)}:{node.lineno}", node


BLAMES = dict(blames())


@pytest.mark.parametrize("place", BLAMES)
def test_what_an_application_blames_names_the_cure(place: str) -> None:
    code, message = BLAMES[place].args
    if isinstance(message, ast.Call):
        assert ast.unparse(message).startswith("str("), "the message of an error that is looked at above"
        return
    assert isinstance(code, ast.Constant)
    assert CODE.fullmatch(str(code.value))
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    assert CURES.search(text), text


def test_the_law_looks_at_something() -> None:
    assert len(INPUT_FAULTS) > 12
    assert len(PLATFORM_FAULTS) > 8
    assert len(BLAMES) > 4
