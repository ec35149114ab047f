"""The published client's command line, loaded once; run by the client's interpreter with the path of `aignostics`.

Each line of input asks for a command. It runs in a fork of this process, that is in a process of its own in which the
client is loaded and has done nothing yet. A line of output is its exit code, negative if a signal ended it.
"""

import json
import os
import signal
import sys
from typing import Any


def become(command: dict[str, Any]) -> None:
    """Be a process that was started for this command only."""
    signal.alarm(command["limit_s"])
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv[1:] = command["arguments"]
    for descriptor, path in enumerate((os.devnull, command["stdout"], command["stderr"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)


def main() -> None:
    """Run commands until there is no more input."""
    del sys.argv[0]  # now it is as if `aignostics` had been started
    from aignostics.cli import cli  # type: ignore[import-not-found]

    while line := sys.stdin.readline():
        if (child := os.fork()) == 0:
            become(json.loads(line))
            sys.exit(cli())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
