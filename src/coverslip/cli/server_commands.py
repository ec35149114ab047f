"""Commands that run in a process of the server, whose code the client never imports."""

import importlib.util
import os
import subprocess
import sys
from typing import NoReturn

import typer

from coverslip.cli.failures import ServerExtraMissing

PASS_ALL_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}


def become(module: str, *arguments: str) -> NoReturn:
    """Run ``python -m module arguments`` in the place of this process.

    Raises
    ------
    ServerExtraMissing
    """
    if importlib.util.find_spec("fastapi") is None:
        raise ServerExtraMissing
    command = [sys.executable, "-m", module, *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606
    raise typer.Exit(subprocess.run(command, check=False).returncode)
