"""One-time links by which the first administrator gets in, and others who lost their way."""

import os
import subprocess
import sys
from collections.abc import Mapping

from coverslip.embedded.address import read_address
from coverslip.embedded.environment import Environments
from coverslip.embedded.errors import LoginLinkRefused, NotRunning
from coverslip.embedded.home import Home
from coverslip.embedded.parent_watch import ENVIRONMENT_NAME as PARENT_PIPE
from coverslip.embedded.postgres.place import data_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.secrets import Secrets

# What `coverslip.service login-link --only-first` ends with when there is an administrator already.
_NOT_NEEDED = 3
_LIMIT_S = 60


def login_link(env: Mapping[str, str], home: Home, email: str | None = None, only_first: bool = False) -> str | None:
    """A one-time link: to set up the first administrator, or with `email` to sign that person in.

    Parameters
    ----------
    env
        `Environments.administration()` of the running platform.
    home
        Its home.
    email
        Whom the link is for.
    only_first
        Make none, and return None, if there is an administrator.

    Raises
    ------
    LoginLinkRefused
        If the service does not make one, for instance because it does not know the address.
    """
    argv = [sys.executable, "-m", "coverslip.service", "login-link"]
    argv += ["--email", email] if email else []
    argv += ["--only-first"] if only_first else []
    # A command of its own, not a supervised child: there is no pipe to watch.
    ended = subprocess.run(
        argv,
        env={**env, PARENT_PIPE: "0"},
        cwd=home.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if only_first and ended.returncode == _NOT_NEEDED:
        return None
    lines = ended.stdout.split()
    if ended.returncode != 0 or not lines:
        raise LoginLinkRefused(reason=ended.stderr.strip() or f"exit code {ended.returncode}")
    return lines[-1]


def login_link_of_running(home: Home, email: str | None = None) -> str:
    """A link for the platform that runs on `home`.

    Raises
    ------
    NotRunning
        If none does.
    LoginLinkRefused
        If the service does not make one.
    """
    address = read_address(home)
    postmaster = read_postmaster_file(data_folder_of(home))
    if address is None or postmaster is None:
        raise NotRunning(home=home.root)
    environments = Environments(
        home, Secrets(home.secrets), postmaster.port, address.local_url, address.url, dict(os.environ)
    )
    link = login_link(environments.administration(), home, email)
    if link is None:
        raise NotRunning(home=home.root)
    return link
