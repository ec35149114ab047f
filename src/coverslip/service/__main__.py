"""``python -m coverslip.service``: serve, migrate, login-link, openapi."""

import argparse
import asyncio
import json
import signal
import sys

from coverslip.contract.errors import CoverslipError

_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
_NOT_NEEDED = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m coverslip.service", description="The Coverslip platform service")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    commands.add_parser("migrate", help="bring the database schema up to date")
    link = commands.add_parser("login-link", help="print a one-time link")
    link.add_argument(
        "--email", help="whom to sign in; without it, the first administrator, who sets up a new platform"
    )
    link.add_argument("--only-first", action="store_true", help=f"exit with {_NOT_NEEDED} if the platform is set up")
    commands.add_parser("openapi", help="print the OpenAPI document of API v1")
    options = parser.parse_args(arguments)
    try:
        match options.command:
            case "serve":
                return _serve(options.host, options.port)
            case "migrate":
                return _migrate()
            case "login-link":
                return asyncio.run(_login_link(options.email, only_first=options.only_first))
            case _:
                return _openapi()
    except CoverslipError as error:
        print(error, file=sys.stderr)
        return _CONFIGURATION if error.code == "SETTINGS.INVALID" else 1


def _serve(host: str, port: int) -> int:
    import uvicorn

    from coverslip.service.app import build_app
    from coverslip.service.settings import load_settings
    from coverslip.telemetry.logs import configure_logs
    from coverslip.telemetry.traces import start_tracing

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    start_tracing("coverslip-service")
    # No access log of the server's: addresses of the store are secrets.
    config = uvicorn.Config(
        build_app(settings), host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def _migrate() -> int:
    from coverslip.service.database.migrate import migrate
    from coverslip.service.settings import load_settings

    print(f"database schema at revision {migrate(load_settings())}")
    return 0


async def _login_link(email: str | None, *, only_first: bool) -> int:
    from coverslip.service.database.engine import Database
    from coverslip.service.identity.commands import new_link
    from coverslip.service.settings import load_settings

    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        secret = await new_link(database, email=email, only_first=only_first)
    finally:
        await database.close()
    if secret is None and email is None:
        return _NOT_NEEDED
    if secret is None:
        print(f"No account has the e-mail address {email}.", file=sys.stderr)
        return 2
    print(f"{settings.public_url}/welcome?link={secret}")
    return 0


def _openapi() -> int:
    from coverslip.service.app import api_v1

    if sys.platform != "win32":
        # It ends as any filter does when its reader has gone, as in `… | head`.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    json.dump(api_v1().openapi(), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
