"""`coverslip user`: log in, log out, who am I."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from coverslip.cli.interrupts import resumable
from coverslip.cli.output import Format, FormatOption, note, print_json, say
from coverslip.cli.session import open_client

if TYPE_CHECKING:
    from coverslip.contract.identity import DeviceAuthorizationResponse
    from coverslip.platform.oauth import OAuthEndpoints
    from coverslip.platform.token_cache import TokenCache

app = typer.Typer(help="Log in, log out, see who you are and what you may do.", no_args_is_help=True)

FIRST_QUESTIONS = {"organization": "Organization", "email": "E-mail address", "name": "Your name"}
SECRET_FIELDS = ("aignostics_bucket_hmac_access_key_id", "aignostics_bucket_hmac_secret_access_key")


@app.command()
def login(
    link: Annotated[
        str | None, typer.Option(help="One-time link, as `coverslip up` prints it at its first start.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Name of your organization, for the very first login.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Your e-mail address, for the very first login.")] = None,
    name: Annotated[str | None, typer.Option(help="Your name, for the very first login.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password to set from stdin.")
    ] = False,
    relogin: Annotated[bool, typer.Option(help="Log in again although you are.")] = False,
) -> None:
    """Log in: with a one-time link, or with a code that you confirm in a browser."""
    from coverslip.platform.authentication import split_login_link

    if link:
        root, secret = split_login_link(link)
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        _login_by_link(root, secret, organization, email, name, password)
    elif relogin or not _is_logged_in():
        _login_by_device()
    _greet(split_login_link(link)[0] if link else None)


@app.command()
def logout() -> None:
    """Log out, here and on the platform."""
    from coverslip.platform.authentication import logout as end_login

    with _login_parts() as (oauth, cache):
        if not end_login(oauth, cache):
            note(f"You were not logged in to {oauth.root}.")
            raise typer.Exit(2)
        say(f"Logged out of {oauth.root}.")


@app.command()
def whoami(
    mask_secrets: Annotated[bool, typer.Option(help="Hide your bucket key.")] = True,
    style: FormatOption = Format.TEXT,
) -> None:
    """Show who you are to the platform."""
    with open_client() as client:
        me = client.me()
        root = client.api_root
    if style is Format.JSON:
        document = me.model_dump(mode="json")
        if mask_secrets:
            document["organization"].update(dict.fromkeys(SECRET_FIELDS, "********"))
        print_json(document)
        return
    say(f"{me.user.name or me.user.id} <{me.user.email or 'no e-mail address'}>")
    say(f"organization {me.organization.display_name or me.organization.name or me.organization.id}")
    say(f"platform {root}")


@contextmanager
def _login_parts(root: str | None = None) -> "Iterator[tuple[OAuthEndpoints, TokenCache]]":
    """The endpoints of a platform, by default the one the settings name, and the file that keeps the login to it."""
    from coverslip.platform.connection import open_connections
    from coverslip.platform.oauth import OAuthEndpoints
    from coverslip.platform.settings import load_settings, resolve_api_root
    from coverslip.platform.token_cache import TokenCache

    settings = load_settings()
    root = resolve_api_root(settings, root)
    with open_connections(settings) as http:
        yield OAuthEndpoints(root, http), TokenCache(settings.credentials_folder, root)


def _login_by_link(
    root: str, secret: str, organization: str | None, email: str | None, name: str | None, password: str | None
) -> None:
    from coverslip.platform.authentication import login_by_link
    from coverslip.platform.errors import SetupIncomplete

    given = {"organization": organization, "email": email, "name": name}
    with _login_parts(root) as (oauth, cache):
        while True:
            try:
                login_by_link(oauth, cache, secret, **given, password=password)
            except SetupIncomplete as error:
                if not sys.stdin.isatty():
                    raise
                note(error.facts["reason"])
                for field, question in FIRST_QUESTIONS.items():
                    given[field] = typer.prompt(question, default=given[field])
            else:
                return


def _login_by_device() -> None:
    from coverslip.platform.authentication import login_by_device

    def show(device: "DeviceAuthorizationResponse") -> None:
        note(f"Open {device.verification_uri_complete}")
        note(f"and confirm the code {device.user_code} (within {device.expires_in // 60} minutes).")

    hint = "You are not logged in; run `coverslip user login` again."
    with resumable(hint), _login_parts() as (oauth, cache):
        login_by_device(oauth, cache, show)


def _is_logged_in() -> bool:
    from coverslip.platform.errors import NotLoggedIn, SessionExpired

    try:
        with open_client() as client:
            client.me()
    except (NotLoggedIn, SessionExpired):
        return False
    return True


def _greet(root: str | None) -> None:
    from coverslip.platform.client import Client
    from coverslip.platform.settings import load_settings, resolve_api_root

    with Client(api_root=root) as client:
        me = client.me()
        say(f"Logged in to {client.api_root} as {me.user.email or me.user.name or me.user.id}.")
        if client.api_root != resolve_api_root(load_settings()):
            note(f"Set COVERSLIP_API_ROOT={client.api_root} so that other commands use this platform.")
