"""The first login: it founds the organization and its administrator."""

import re
import secrets
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.principal import Role
from coverslip.service.audit import queries as audit
from coverslip.service.identity import queries
from coverslip.service.identity.errors import AlreadySetUp, SetupIncomplete
from coverslip.service.identity.passwords import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, hash_password
from coverslip.service.identity.rules import EMBEDDED_ISSUER
from coverslip.service.organizations import queries as organizations
from coverslip.service.organizations.commands import add_member

_MAX_NAME_LENGTH = 100
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+|[^@\s\x00]+@localhost")


@dataclass(frozen=True)
class FirstAdministrator:
    """What the first login asks for. Without a password, the account is entered by one-time links only."""

    organization: str
    email: str
    name: str
    password: str | None = None


def check(form: FirstAdministrator) -> None:
    """Check the form before the link is used up.

    Raises
    ------
    SetupIncomplete
        Naming the first thing that is missing or wrong.
    """
    for value, what in ((form.organization, "an organization"), (form.name, "your name"), (form.email, "an e-mail")):
        if not value.strip() or "\x00" in value or len(value) > _MAX_NAME_LENGTH:
            raise SetupIncomplete(fault=f"give {what} (at most {_MAX_NAME_LENGTH} characters)")
    if not _EMAIL.fullmatch(form.email):
        raise SetupIncomplete(fault="give an e-mail address such as ada@example.org")
    if form.password is not None and not MIN_PASSWORD_LENGTH <= len(form.password) <= MAX_PASSWORD_LENGTH:
        raise SetupIncomplete(fault=f"the password needs {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")


async def found(connection: AsyncConnection, form: FirstAdministrator) -> str:
    """Create the organization and its administrator; returns the user's id.

    Raises
    ------
    AlreadySetUp
        If the platform has an administrator.
    """
    if await queries.first_administrator(connection) is not None:
        raise AlreadySetUp
    user_id = f"user_{secrets.token_hex(8)}"
    organization_id = f"org_{secrets.token_hex(8)}"
    display_name = form.organization.strip()
    await organizations.insert_organization(
        connection,
        organization_id=organization_id,
        name=re.sub(r"[^a-z0-9]+", "-", display_name.lower()).strip("-") or organization_id,
        display_name=display_name,
    )
    await queries.insert_account(
        connection,
        user_id=user_id,
        issuer=EMBEDDED_ISSUER,
        email=form.email.strip(),
        name=form.name.strip(),
        password_hash=await hash_password(form.password) if form.password is not None else None,
    )
    await add_member(connection, user_id=user_id, organization_id=organization_id, role=Role.SUPER_ADMIN)
    await audit.record(
        connection, "platform.set_up", subject=organization_id, user_id=user_id, organization_id=organization_id
    )
    return user_id
