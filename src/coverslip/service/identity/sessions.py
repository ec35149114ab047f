"""Sessions: from a login until it expires or somebody ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.identity import OFFLINE_ACCESS, TokenResponse
from coverslip.service.access.principal import Principal
from coverslip.service.audit import queries as audit
from coverslip.service.database.engine import Database
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import queries, session_queries
from coverslip.service.identity.errors import (
    MembershipMissing,
    RefreshTokenInvalid,
    SessionNotYours,
    SessionUnknown,
)
from coverslip.service.identity.profile import profile
from coverslip.service.identity.secrets import hash_secret, new_secret
from coverslip.service.identity.tokens import TokenIssuer, TokenRefused

_PLATFORM = PlatformScope()


@dataclass(frozen=True)
class NewSession:
    """A session that has just begun, with the tokens for its client."""

    id: UUID
    tokens: TokenResponse


class Sessions:
    """What the embedded issuer keeps of everybody who is signed in.

    Parameters
    ----------
    database
        Where sessions are.
    issuer
        Signs the tokens.
    lifetime_s
        How long a session lasts, in seconds.
    """

    def __init__(self, database: Database, issuer: TokenIssuer, *, lifetime_s: int) -> None:
        self._database = database
        self._issuer = issuer
        self._lifetime = timedelta(seconds=lifetime_s)

    async def start(
        self,
        connection: AsyncConnection,
        *,
        user_id: str,
        client_id: str,
        organization_id: str | None = None,
        scope: str = OFFLINE_ACCESS,
        nonce: str | None = None,
    ) -> NewSession:
        """Begin a session in a transaction of the caller's, for the organization joined first if none is named.

        Raises
        ------
        MembershipMissing
        """
        if organization_id is None:
            organizations = await queries.organizations_of(connection, user_id)
            if not organizations:
                raise MembershipMissing
            organization_id = organizations[0].id
        member = await queries.member(connection, user_id=user_id, organization_id=organization_id)
        if member is None:
            raise MembershipMissing
        token, session = await self._insert(connection, member, client_id=client_id, scope=scope)
        return NewSession(session.id, self._tokens(member, session, token, nonce))

    async def refresh(self, token: str, *, client_id: str) -> TokenResponse:
        """A new access token for a session. The refresh token stays the same, as published clients need it.

        Raises
        ------
        RefreshTokenInvalid
            If the session has ended, is another client's, or its user is no member any more.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            session = await session_queries.use_session(connection, hash_secret(token))
            if session is None or session.client_id != client_id:
                raise RefreshTokenInvalid
            member = await queries.member(connection, user_id=session.user_id, organization_id=session.organization_id)
            if member is None:
                raise RefreshTokenInvalid
        return self._tokens(member, session, token)

    async def revoke(self, token: str) -> None:
        """End the session of a refresh or access token; any other is no fault (RFC 7009, section 2.2)."""
        async with self._database.transaction(_PLATFORM) as connection:
            session = await session_queries.session_by_token(connection, hash_secret(token))
            session_id = session.id if session is not None else self._session_of_access_token(token)
            if session_id is not None:
                await session_queries.end_session(connection, session_id)

    async def add(
        self, principal: Principal, *, refresh_token: str, client_id: str, label: str | None
    ) -> tuple[AnyRow, str]:
        """Begin a session for another client of the caller, who proves to hold one; returns it and its refresh token.

        Raises
        ------
        SessionNotYours
            If ``refresh_token`` proves nothing.
        MembershipMissing
        """
        async with self._database.transaction(_PLATFORM) as connection:
            own = await session_queries.use_session(connection, hash_secret(refresh_token))
            if own is None or own.user_id != principal.user_id:
                raise SessionNotYours
            member = await queries.member(connection, user_id=own.user_id, organization_id=own.organization_id)
            if member is None:
                raise SessionNotYours
            token, session = await self._insert(connection, member, client_id=client_id, label=label)
            await audit.record(
                connection,
                "session.added",
                subject=str(session.id),
                user_id=own.user_id,
                organization_id=own.organization_id,
                client_id=client_id,
                label=label,
            )
        return session, token

    async def of(self, principal: Principal) -> Sequence[AnyRow]:
        """The sessions of the caller, the newest first."""
        async with self._database.transaction(_PLATFORM) as connection:
            return await session_queries.sessions_of(connection, principal.user_id)

    async def end(self, principal: Principal, session_id: UUID) -> None:
        """End a session of the caller; its access tokens end too.

        Raises
        ------
        SessionUnknown
            If it is not theirs, or has ended.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            if not await session_queries.end_session(connection, session_id, user_id=principal.user_id):
                raise SessionUnknown
            await audit.record(connection, "session.ended", subject=str(session_id), user_id=principal.user_id)

    async def _insert(
        self,
        connection: AsyncConnection,
        member: AnyRow,
        *,
        client_id: str,
        scope: str = OFFLINE_ACCESS,
        label: str | None = None,
    ) -> tuple[str, AnyRow]:
        token = new_secret()
        session = await session_queries.insert_session(
            connection,
            token_hash=hash_secret(token),
            user_id=member.id,
            organization_id=member.organization_id,
            client_id=client_id,
            scope=scope,
            label=label,
            lifetime=self._lifetime,
        )
        return token, session

    def _session_of_access_token(self, token: str) -> UUID | None:
        try:
            return self._issuer.verify(token).session_id
        except TokenRefused:
            return None

    def _tokens(self, member: AnyRow, session: AnyRow, refresh_token: str, nonce: str | None = None) -> TokenResponse:
        scopes = session.scope.split()
        access_token = self._issuer.issue(
            user_id=member.id,
            organization_id=member.organization_id,
            role=member.role,
            client_id=session.client_id,
            scope=session.scope,
            session_id=session.id,
        )
        optional: dict[str, Any] = {}
        if OFFLINE_ACCESS in scopes:
            optional["refresh_token"] = refresh_token
        if "openid" in scopes:
            optional["id_token"] = self._issuer.issue_identity(
                profile(member, scopes), client_id=session.client_id, nonce=nonce
            )
        return TokenResponse(
            access_token=access_token, expires_in=self._issuer.lifetime_s, scope=session.scope, **optional
        )
