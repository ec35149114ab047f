"""What the platform's processes wrote into their logs."""

import re
from collections import Counter
from pathlib import Path

_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ |+].*\n|\n)*(?P<error>[\w.]+)")


class LogReader:
    """Reads what is new in the logs of a folder since it was made."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._from = {path: path.stat().st_size for path in logs.glob("*.log")}

    def tracebacks(self) -> Counter[str]:
        """The kinds of errors that were logged with a traceback, by log."""
        found: Counter[str] = Counter()
        for path in sorted(self._logs.glob("*.log")):
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(self._from.get(path, 0))
                found.update(f"{path.stem}: {each['error']}" for each in _TRACEBACK.finditer(file.read()))
        return found
