"""From an error to what the person reads and the code the process ends with."""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from coverslip.cli.output import FORMAT_KEY, Format, note
from coverslip.contract.errors import CoverslipError

OK = 0
FAILED = 1
USER_ERROR = 2
METADATA_CONFLICT = 3
BAD_CONFIGURATION = 78
INTERRUPTED = 130
CLOSED_PIPE = 141
"""128 + SIGPIPE, with which shells report programs that wrote to a reader that had gone, as in ``… | head``."""

EXIT_CODES = {
    "CLIENT.BAD_CONFIGURATION": BAD_CONFIGURATION,
    "PLATFORM.METADATA_CONFLICT": METADATA_CONFLICT,
    "PLATFORM.NOT_FOUND": USER_ERROR,
    "PLATFORM.INVALID_REQUEST": USER_ERROR,
    "PLATFORM.GONE": USER_ERROR,
    "CLIENT.NOT_A_LOGIN_LINK": USER_ERROR,
    "CLIENT.NOT_OUR_FILE": USER_ERROR,
    "CLIENT.SETUP_INCOMPLETE": USER_ERROR,
    "CLIENT.FILE_CHANGED": USER_ERROR,
    "CLIENT.FILE_UNREADABLE": USER_ERROR,
    "CLIENT.FOLDER_UNUSABLE": USER_ERROR,
    "DATASET.FOLDER_UNUSABLE": USER_ERROR,
    "WORKFLOW.SERVER_AWAY": FAILED,
}
USER_ERROR_FAMILIES = ("WORKFLOW.", "SLIDE.", "MODEL.", "RESULT.")


class Interrupted(CoverslipError):
    """Stopped. {hint}"""

    code: ClassVar[str] = "CLIENT.INTERRUPTED"


class ServerExtraMissing(CoverslipError):
    """This needs the server, which is not installed here. Install it with: pip install 'coverslip[server]'"""

    code: ClassVar[str] = "CLIENT.SERVER_EXTRA_MISSING"


class ExtraMissing(CoverslipError):
    """This needs the package {package}, which is not installed here. Install it with: pip install
    'coverslip[{extra}]'"""

    code: ClassVar[str] = "CLIENT.EXTRA_MISSING"


class RunDetailsRefused(CoverslipError):
    """Failed to retrieve run details: {reason}. Run ids are UUIDs; `coverslip application run list` shows yours."""

    code: ClassVar[str] = "CLIENT.RUN_DETAILS_REFUSED"


class Unexpected(CoverslipError):
    """Coverslip met something it was not made for: {reason}. Run the command again with COVERSLIP_DEBUG=1 to see
    where."""

    code: ClassVar[str] = "CLIENT.UNEXPECTED"


def exit_code(error: CoverslipError) -> int:
    """The code that a process ends with: 2 where the person can mend it, 3 and 78 as documented, else 1."""
    if isinstance(error, Interrupted):
        return INTERRUPTED
    if error.code in EXIT_CODES:
        return EXIT_CODES[error.code]
    return USER_ERROR if error.code.startswith(USER_ERROR_FAMILIES) else FAILED


def describe(error: CoverslipError) -> dict[str, Any]:
    """An error as data: `code` and `message`, and where there are any `errors` and `remedy`."""
    problem = getattr(error, "problem", None)
    faults = problem.errors if problem else error.facts.get("faults")
    description = {
        "code": (problem.code if problem else None) or error.code,
        "message": str(error).strip(),
        "errors": faults,
        "remedy": problem.remedy if problem else None,
    }
    return {name: value for name, value in description.items() if value}


def report(error: CoverslipError, style: Format = Format.TEXT) -> None:
    """Tell an error on stderr."""
    if os.environ.get("COVERSLIP_DEBUG") == "1":
        traceback.print_exception(error)
    told = describe(error)
    if style is Format.JSON:
        typer.echo(json.dumps({"error": told}, ensure_ascii=False), err=True)
        return
    if isinstance(error, Interrupted):
        note(f"\n{told['message']}")
        return
    note(f"Error {told['code']}: {told['message']}")
    for fault in told.get("errors", []):
        note(f"  - {fault}")
    if "remedy" in told:
        note(told["remedy"])


@contextmanager
def quiet_without_reader() -> Iterator[None]:
    """Within this block, a command whose output nobody reads any more ends with `CLOSED_PIPE` and says nothing."""
    try:
        yield
    except BrokenPipeError:
        # What is left to print, at the end of the process too, goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        raise typer.Exit(CLOSED_PIPE) from None


class CoverslipGroup(TyperGroup):
    """The root of all commands; no error of theirs leaves it as a traceback."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Understand the command line, or print its help."""
        with quiet_without_reader():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with quiet_without_reader():
            return self._invoke(ctx)

    def _invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CoverslipError as error:
            failure = error
        except KeyboardInterrupt:
            failure = Interrupted(hint="")
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            failure = Unexpected(reason=f"{type(error).__name__}: {error}")
            failure.__cause__ = error
        report(failure, ctx.meta.get(FORMAT_KEY, Format.TEXT))
        raise typer.Exit(exit_code(failure))
