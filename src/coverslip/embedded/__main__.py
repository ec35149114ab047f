"""Command line of the embedded platform: `python -m coverslip.embedded up`, `login-link`, `backup`, `restore`."""

import argparse
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

from coverslip.contract.errors import CoverslipError
from coverslip.embedded.errors import ConfigurationError
from coverslip.models.errors import ModelError

FAILED = 1
# sysexits.h, EX_CONFIG: supervisors such as systemd can be told not to try again.
BAD_CONFIGURATION = 78


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 (failed), 2 (wrong usage) or 78 (a setting must be changed first)."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    try:
        {"up": _up, "login-link": _login_link, "backup": _back_up, "restore": _restore}[arguments.command](arguments)
    except (ConfigurationError, ModelError) as error:
        return _explained(error, BAD_CONFIGURATION)
    except CoverslipError as error:
        return _explained(error, FAILED)
    return 0


def _up(arguments: argparse.Namespace) -> None:
    # Imported here so that `--help` does not wait for the database driver.
    from coverslip.embedded.home import open_home
    from coverslip.embedded.up import up

    up(open_home(arguments.home), arguments.host, arguments.port, arguments.workers, arguments.tls_proxy)


def _login_link(arguments: argparse.Namespace) -> None:
    from coverslip.embedded.home import home_at
    from coverslip.embedded.login_link import login_link_of_running

    print(login_link_of_running(home_at(arguments.home), arguments.email))


def _back_up(arguments: argparse.Namespace) -> None:
    from coverslip.embedded.backup import back_up
    from coverslip.embedded.home import open_home
    from coverslip.embedded.up import say

    content = back_up(open_home(arguments.home), arguments.archive, say)
    say(f"{arguments.archive} holds the database and {content.objects} objects, {content.size_bytes:,} bytes.")


def _restore(arguments: argparse.Namespace) -> None:
    from coverslip.embedded.backup import restore
    from coverslip.embedded.up import say

    content = restore(arguments.archive, arguments.home, say)
    say(
        f"Restored the database and {content.objects} objects, {content.size_bytes:,} bytes. Start with `coverslip up`."
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    embedded = argparse.ArgumentParser(prog="python -m coverslip.embedded", description="Coverslip on one machine")
    commands = embedded.add_subparsers(dest="command", required=True)
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument("--home", type=Path, help="folder for everything (default: COVERSLIP_HOME)")

    up = commands.add_parser("up", prog="coverslip up", parents=[home], help="run the platform until Ctrl-C")
    up.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    up.add_argument("--port", type=_port, help="port to listen on (default: 8000, or a free one)")
    up.add_argument("--workers", type=_count, default=1, help="slides analysed at once (default: %(default)s)")
    up.add_argument("--tls-proxy", type=_https, metavar="URL", help="https address of the proxy in front of --host")

    command = "coverslip system login-link"
    link = commands.add_parser("login-link", prog=command, parents=[home], help="print a one-time link to sign in with")
    link.add_argument("--email", help="whom the link is for (default: the first administrator, to be set up)")
    for name, purpose in (("backup", "write a backup of the platform"), ("restore", "make a platform of a backup")):
        archiving = commands.add_parser(name, prog=f"coverslip system {name}", parents=[home], help=purpose)
        archiving.add_argument("archive", type=Path, help="the backup file")
    return embedded


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def _https(text: str) -> str:
    if urlsplit(text).scheme != "https" or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"{text} is no address that begins with https://")
    return text


def _explained(error: CoverslipError, exit_code: int) -> int:
    print(f"coverslip: {error}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
