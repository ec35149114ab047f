"""The generated reference says what the program says."""

import subprocess
import sys

from tests.acceptance.conftest import REPOSITORY


def test_reference_is_up_to_date() -> None:
    command = [sys.executable, "tools/reference", "--check"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
