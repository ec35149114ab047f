"""`coverslip connect`: the settings with which the published client works with this platform."""

import contextlib
import os
import re
import shlex
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from coverslip.cli.output import FORMAT_KEY, Format, note, print_json, visible
from coverslip.cli.session import open_client
from coverslip.contract.errors import CoverslipError

if TYPE_CHECKING:
    from coverslip.contract.identity import PlatformDescription
    from coverslip.contract.me import MeReadResponse
    from coverslip.platform.client import Client

FIRST_LINE = "# Written by `coverslip connect`"
REDIRECT_URI = "http://localhost:8989/"
"""Where the published client listens for the browser, unless told otherwise."""


class Style(StrEnum):
    """How to print the settings."""

    ENV = "env"
    JSON = "json"


class NotOurFile(CoverslipError):
    """{path} exists and was not written by `coverslip connect`, which keeps its hands off it. Choose another path, or
    move that file away."""

    code: ClassVar[str] = "CLIENT.NOT_OUR_FILE"


@dataclass(frozen=True)
class Setting:
    """A variable of the published client, with what a reader of the file should know about it."""

    name: str
    value: str
    why: str = ""


def connect(
    context: typer.Context,
    write: Annotated[
        Path | None, typer.Option(help="Write them to this file, which only you can read, instead of printing them.")
    ] = None,
    with_refresh_token: Annotated[
        bool,
        typer.Option(
            "--with-refresh-token",
            help="Add a login of its own, for use without a person; treat it like a password.",
        ),
    ] = False,
    style: Annotated[Style, typer.Option("--format", help="How to print: env for shells and .env files, or json.")] = (
        Style.ENV
    ),
) -> None:
    """Print the settings with which the published Aignostics client works with this platform, as you.

    In a shell: set -a; eval "$(coverslip connect)"; set +a
    """
    if style is Style.JSON:
        context.meta[FORMAT_KEY] = Format.JSON
        if write is not None:
            raise typer.BadParameter("--write takes the format env")
    if write is not None:
        refuse_foreign_file(write)
    with open_client() as client:
        me = client.me()
        platform = describe_platform(client)
        settings = list(published_settings(client, platform, me))
        if with_refresh_token:
            settings.append(refresh_token(client, platform))
    block = env_block(settings, f"for {platform.api_root} as {me.user.email or me.user.id}")
    if write is not None:
        write_private(write, block)
        note(f"Wrote {write}. In a shell: set -a; . {shlex.quote(str(write))}; set +a")
    elif style is Style.JSON:
        print_json({setting.name: setting.value for setting in settings})
    else:
        typer.echo(visible(block), nl=False)


def describe_platform(client: "Client") -> "PlatformDescription":
    """What the platform says of itself.

    Raises
    ------
    AnswerNotUnderstood
        If it is no Coverslip platform.
    """
    from coverslip.contract.identity import PlatformDescription

    return client.api.understand(PlatformDescription, client.api.anonymous("/.well-known/coverslip"))


def published_settings(client: "Client", platform: "PlatformDescription", me: "MeReadResponse") -> Iterator[Setting]:
    """The settings that let the published client log in and work; also makes the folder for its login."""
    yield Setting("AIGNOSTICS_API_ROOT", platform.api_root)
    yield Setting("AIGNOSTICS_AUDIENCE", platform.audience)
    yield Setting("AIGNOSTICS_AUTHORIZATION_BASE_URL", platform.authorization_endpoint)
    yield Setting("AIGNOSTICS_TOKEN_URL", platform.token_endpoint)
    yield Setting("AIGNOSTICS_REDIRECT_URI", REDIRECT_URI, "It listens here for the browser; any free port will do.")
    yield Setting("AIGNOSTICS_DEVICE_URL", platform.device_authorization_endpoint)
    yield Setting("AIGNOSTICS_JWS_JSON_URL", platform.jwks_uri)
    yield Setting("AIGNOSTICS_CLIENT_ID_INTERACTIVE", platform.published_client_id)
    yield Setting(
        "AIGNOSTICS_CLIENT_ID_DEVICE",
        platform.published_client_id,
        "Where there is no browser it shows a code, which you confirm in a browser elsewhere.",
    )
    yield Setting(
        "AIGNOSTICS_CACHE_DIR",
        str(login_folder(client, platform, me.user.id)),
        "It keeps one login, whatever the server; a folder for each keeps yours from being sent to another.",
    )
    if platform.authorization_endpoint.startswith("http://"):
        yield Setting(
            "OAUTHLIB_INSECURE_TRANSPORT",
            "1",
            "Only for logging in with a browser over plain http, which it refuses otherwise.",
        )


def login_folder(client: "Client", platform: "PlatformDescription", user_id: str) -> Path:
    """A folder for this platform and user, made such that only its owner can look inside."""
    from coverslip.platform.token_cache import TokenCache

    place = TokenCache(client.settings.home, platform.api_root).path.stem
    user = re.sub(r"[^A-Za-z0-9_-]", "", user_id)
    folder = client.settings.home.expanduser().absolute() / "connect" / f"{place}-{user}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def refresh_token(client: "Client", platform: "PlatformDescription") -> Setting:
    """Begin a session of its own for the published client.

    Raises
    ------
    NotLoggedIn
        If nobody is logged in with `coverslip user login`: that login proves who asks.
    """
    from coverslip.contract.identity import SessionCreateRequest, SessionCreateResponse
    from coverslip.platform.errors import NotLoggedIn
    from coverslip.platform.token_cache import TokenCache

    login = TokenCache(client.settings.credentials_folder, client.api_root).read()
    if login is None or login.refresh_token is None:
        raise NotLoggedIn(url=client.api_root)
    request = SessionCreateRequest(
        refresh_token=login.refresh_token,
        client_id=platform.published_client_id,
        label=f"coverslip connect on {socket.gethostname()}"[:255],
    )
    response = client.api.request("POST", "/api/coverslip/v1/sessions", body=request.model_dump(mode="json"))
    session = client.api.understand(SessionCreateResponse, response)
    return Setting(
        "AIGNOSTICS_REFRESH_TOKEN",
        session.refresh_token,
        f"A login of its own until {session.expires_at:%Y-%m-%d}, for use without a person; keep it like a password.\n"
        f"To end it: DELETE {platform.api_root}/api/coverslip/v1/sessions/{session.session_id}",
    )


def env_block(settings: list[Setting], purpose: str) -> str:
    """The settings as lines that shells and ``.env`` readers both understand."""
    lines = [FIRST_LINE, *comment(f"Settings of the published Aignostics client {purpose}.")]
    for setting in settings:
        lines += [*comment(setting.why), f"{setting.name}={quoted(setting.value)}"]
    return "\n".join(lines) + "\n"


def comment(text: str) -> list[str]:
    """Text as comment lines; none of it gets out of them, wherever it comes from."""
    return [f"# {line}" for line in text.splitlines()]


def quoted(value: str) -> str:
    """A value as both shells and ``.env`` readers take it: plain where that is safe, else in quotes."""
    plain = shlex.quote(value)
    if "'" not in value:
        return plain
    escaped = re.sub(r'(["\\$`])', r"\\\1", value)
    return f'"{escaped}"'


def refuse_foreign_file(path: Path) -> None:
    """Leave files alone that somebody else wrote.

    Raises
    ------
    NotOurFile
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            is_ours = file.read(len(FIRST_LINE)) == FIRST_LINE
    except FileNotFoundError:
        return
    except OSError:
        is_ours = False
    if not is_ours:
        raise NotOurFile(path=path)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the moment it exists."""
    from coverslip.platform.errors import FolderUnusable

    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".connect-")  # mode 0600
    except OSError as error:
        raise FolderUnusable(path=path.parent, reason=error.strerror) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise FolderUnusable(path=path, reason=error.strerror) from error
