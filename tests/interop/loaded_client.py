"""Commands of the published client without waiting for it to load, which takes ten times as long as most of them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

_FORKING = Path(__file__).with_name("forking_client.py")


class LoadedClient:
    """The published client's command line, loaded; each command is a process of its own all the same.

    What commands log does not go where they print errors, but to the standard error of the tests.

    Parameters
    ----------
    programs
        Where `aignostics` and its interpreter are.
    environment
        What it is loaded in. Settings of a person and a platform are read by commands, and belong to them.
    """

    def __init__(self, programs: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [str(programs / "python"), "-P", str(_FORKING), str(programs / "aignostics")],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "LoadedClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, limit_s: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run `aignostics` to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as place:
            stdout, stderr = Path(place, "stdout"), Path(place, "stderr")
            command = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(folder),
                "stdout": str(stdout),
                "stderr": str(stderr),
                "limit_s": round(limit_s),
            }
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            code = self._process.stdout.readline()
            assert code, "the loaded client has ended"
            return subprocess.CompletedProcess(arguments, int(code), stdout.read_text(), stderr.read_text())
