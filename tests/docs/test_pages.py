"""Every command and snippet of the README, the tutorial and the how-to pages runs, page by page, on a real platform."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.acceptance.conftest import REPOSITORY
from tests.docs.conftest import Desk

from coverslip.embedded.ports import free_port

GUIDES = [REPOSITORY / "README.md", REPOSITORY / "docs/tutorial.md", *sorted(REPOSITORY.glob("docs/how-to/*.md"))]
# The fences that are not run here: tests of their own do what these targets do, and the platform runs already.
ELSEWHERE = {"make demo\n", "make test\n", ".venv/bin/coverslip up\n", "coverslip up\n"}
MOST_LINES = 80


def script_of(page: Path, root: str, another_port: int) -> str:
    """The commands of a page as one session in a terminal; snippets of Python are what its reader types into one."""
    session = []
    fences = re.findall(r"^```(sh|python)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    for number, (language, text) in enumerate(fences, 1):
        if text in ELSEWHERE:
            continue
        session.append(f"echo '--- fence {number}'")
        session.append(text if language == "sh" else f"python - <<'END-OF-SNIPPET'\n{text}END-OF-SNIPPET")
    # Pages name the usual port, and another one for a second service; other programs may have them here.
    return "\n".join(session).replace("http://127.0.0.1:8000", root).replace("9000", str(another_port))


@pytest.mark.process
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_command_and_snippet_runs(page: Path, desk: Desk, tmp_path: Path) -> None:
    if "coverslip user login" not in page.read_text():
        desk.log_in()
    ended = desk.run(script_of(page, desk.root, free_port()), tmp_path / "work")
    assert ended.returncode == 0, ended.stdout


def test_targets_exist() -> None:
    """`make` alone lists each target that a page names."""
    listed = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for page in GUIDES:
        for target in re.findall(r"^make (\w+)$", page.read_text(), re.MULTILINE):
            assert f"make {target} " in listed


def test_how_to_pages_are_short() -> None:
    lengths = {page.name: len(page.read_text().splitlines()) for page in GUIDES if page.parent.name == "how-to"}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
