"""SQL about accounts, memberships, links, devices and keys."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.tables import (
    authorization_code,
    device_authorization,
    login_failure,
    one_time_link,
    refresh_token,
    signing_key,
    user_account,
)
from coverslip.service.organizations.tables import membership, organization


async def signing_keys(connection: AsyncConnection, *, lock: bool = False) -> Sequence[AnyRow]:
    """The signing keys in use, newest first; ``lock`` keeps two starting services from both making the first."""
    if lock:
        await connection.execute(text("lock table signing_key in share row exclusive mode"))
    statement = select(signing_key).where(signing_key.c.retired_at.is_(None)).order_by(signing_key.c.created_at.desc())
    return (await connection.execute(statement)).all()


async def insert_signing_key(
    connection: AsyncConnection, *, kid: str, public_jwk: dict[str, Any], private_key_encrypted: bytes
) -> None:
    await connection.execute(
        insert(signing_key).values(kid=kid, public_jwk=public_jwk, private_key_encrypted=private_key_encrypted)
    )


async def member(connection: AsyncConnection, *, user_id: str, organization_id: str) -> AnyRow | None:
    """The account, organization and role of a member who is not disabled."""
    found: AnyRow | None = (await connection.execute(_member(user_id, organization_id))).one_or_none()
    return found


async def member_in_session(
    connection: AsyncConnection, *, user_id: str, organization_id: str, session_id: UUID | None
) -> AnyRow | None:
    """As `member`; None too if the session was ended. Without a session, just as `member`."""
    statement = _member(user_id, organization_id)
    if session_id is not None:
        goes_on = exists().where(refresh_token.c.id == session_id, refresh_token.c.revoked_at.is_(None))
        statement = statement.where(goes_on)
    found: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return found


def _member(user_id: str, organization_id: str) -> Select[Any]:
    return (
        select(
            user_account.c.id,
            user_account.c.email,
            user_account.c.email_verified,
            user_account.c.name,
            user_account.c.updated_at,
            organization.c.id.label("organization_id"),
            organization.c.name.label("organization_name"),
            organization.c.display_name.label("organization_display_name"),
            membership.c.role,
        )
        .join(membership, membership.c.user_id == user_account.c.id)
        .join(organization, organization.c.id == membership.c.organization_id)
        .where(
            user_account.c.id == user_id,
            organization.c.id == organization_id,
            user_account.c.disabled_at.is_(None),
        )
    )


async def organizations_of(connection: AsyncConnection, user_id: str) -> Sequence[AnyRow]:
    """The organizations of a user who is not disabled, the one joined first before the others."""
    statement = (
        select(organization.c.id, organization.c.display_name)
        .join(membership, membership.c.organization_id == organization.c.id)
        .join(user_account, user_account.c.id == membership.c.user_id)
        .where(membership.c.user_id == user_id, user_account.c.disabled_at.is_(None))
        .order_by(membership.c.created_at, organization.c.id)
    )
    return (await connection.execute(statement)).all()


async def account_by_email(connection: AsyncConnection, *, issuer: str, email: str) -> AnyRow | None:
    statement = select(user_account).where(
        user_account.c.issuer == issuer,
        func.lower(user_account.c.email) == func.lower(email),
        user_account.c.disabled_at.is_(None),
    )
    return (await connection.execute(statement)).one_or_none()


async def first_administrator(connection: AsyncConnection) -> str | None:
    """The super administrator who set up the platform, if that has happened. Concurrent set-ups wait for each other."""
    await connection.execute(text("lock table membership in share row exclusive mode"))
    statement = (
        select(membership.c.user_id)
        .join(user_account, user_account.c.id == membership.c.user_id)
        .where(membership.c.role == "super_admin", user_account.c.disabled_at.is_(None))
        .order_by(membership.c.created_at)
        .limit(1)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def insert_account(
    connection: AsyncConnection,
    *,
    user_id: str,
    issuer: str,
    email: str,
    name: str,
    password_hash: str | None,
) -> None:
    await connection.execute(
        insert(user_account).values(
            id=user_id, issuer=issuer, subject=user_id, email=email, name=name, password_hash=password_hash
        )
    )


async def insert_link(
    connection: AsyncConnection, *, secret_hash: bytes, purpose: str, user_id: str | None, lifetime: timedelta
) -> None:
    await connection.execute(
        insert(one_time_link).values(
            secret_hash=secret_hash, purpose=purpose, user_id=user_id, expires_at=func.now() + lifetime
        )
    )


async def valid_link(connection: AsyncConnection, secret_hash: bytes) -> AnyRow | None:
    """The link, if it has neither been used nor expired."""
    statement = select(one_time_link).where(
        one_time_link.c.secret_hash == secret_hash,
        one_time_link.c.used_at.is_(None),
        one_time_link.c.expires_at > func.now(),
    )
    return (await connection.execute(statement)).one_or_none()


async def use_link(connection: AsyncConnection, secret_hash: bytes) -> AnyRow | None:
    """Use up a valid link, and return it; None if it is not valid. Of two callers one wins."""
    statement = (
        update(one_time_link)
        .where(
            one_time_link.c.secret_hash == secret_hash,
            one_time_link.c.used_at.is_(None),
            one_time_link.c.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(one_time_link)
    )
    link: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return link


async def insert_device_authorization(
    connection: AsyncConnection,
    *,
    device_code_hash: bytes,
    user_code: str,
    client_id: str,
    scope: str,
    lifetime: timedelta,
) -> None:
    await connection.execute(
        insert(device_authorization).values(
            device_code_hash=device_code_hash,
            user_code=user_code,
            client_id=client_id,
            scope=scope,
            expires_at=func.now() + lifetime,
        )
    )


async def device_authorization_by_code(connection: AsyncConnection, device_code_hash: bytes) -> AnyRow | None:
    """A device's request with the column ``expired``; the row is locked, so that its code is redeemed once."""
    statement = (
        select(device_authorization, (device_authorization.c.expires_at <= func.now()).label("expired"))
        .where(device_authorization.c.device_code_hash == device_code_hash)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def approve_device(connection: AsyncConnection, *, user_code: str, user_id: str) -> bool:
    """Let the device with ``user_code`` act for the user; False if no device waits with that code."""
    statement = (
        update(device_authorization)
        .where(
            device_authorization.c.user_code == user_code,
            device_authorization.c.user_id.is_(None),
            device_authorization.c.expires_at > func.now(),
        )
        .values(user_id=user_id)
    )
    return (await connection.execute(statement)).rowcount == 1


async def delete_device_authorization(connection: AsyncConnection, device_code_hash: bytes) -> None:
    await connection.execute(
        delete(device_authorization).where(device_authorization.c.device_code_hash == device_code_hash)
    )


async def record_login_failure(connection: AsyncConnection, email: str) -> None:
    await connection.execute(insert(login_failure).values(email=func.lower(email)))


async def recent_login_failures(connection: AsyncConnection, email: str, window: timedelta) -> int:
    """How many there were; until the transaction ends, nobody else counts those of this account.

    The database folds the case, as it does to find the account: to Python, some addresses of one account differ.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(func.lower(email), 1))))
    statement = select(func.count()).where(
        login_failure.c.email == func.lower(email), login_failure.c.failed_at > func.now() - window
    )
    return int((await connection.execute(statement)).scalar_one())


async def forget_login_failures(connection: AsyncConnection, email: str) -> None:
    await connection.execute(delete(login_failure).where(login_failure.c.email == func.lower(email)))


async def delete_spent(connection: AsyncConnection, age: timedelta) -> None:
    """Forget wrong passwords, device codes, links and sessions that have meant nothing for longer than ``age``."""
    then = func.now() - age
    # A code that was redeemed goes before the session it gave.
    is_needed = exists().where(authorization_code.c.session_id == refresh_token.c.id)
    for statement in (
        delete(login_failure).where(login_failure.c.failed_at < then),
        delete(device_authorization).where(device_authorization.c.expires_at < then),
        delete(one_time_link).where(or_(one_time_link.c.used_at < then, one_time_link.c.expires_at < then)),
        delete(refresh_token).where(
            or_(refresh_token.c.revoked_at < then, refresh_token.c.expires_at < then), ~is_needed
        ),
    ):
        await connection.execute(statement)
