"""The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636), each step one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.identity import TokenResponse
from coverslip.service.audit import queries as audit
from coverslip.service.database.engine import Database
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import code_queries, queries, session_queries
from coverslip.service.identity.authorization_request import AuthorizationRequest, answer
from coverslip.service.identity.errors import (
    ChoiceExpired,
    CodeInvalid,
    LinkInvalid,
    LinkIsForSetup,
    MembershipMissing,
    NotAMember,
)
from coverslip.service.identity.rules import CHOICE_LIFETIME, CODE_LIFETIME, CODE_MEMORY, proves
from coverslip.service.identity.secrets import hash_secret, new_secret
from coverslip.service.identity.sessions import Sessions

_PLATFORM = PlatformScope()


@dataclass(frozen=True)
class Granted:
    """A new code.

    Attributes
    ----------
    code
        Its secret.
    choices
        Organizations of which the person must choose one before the code is good for anything; else empty.
    """

    code: str
    choices: Sequence[AnyRow]


class AuthorizationCodes:
    """Gives codes to people who have signed in, and sessions for codes."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def grant(self, request: AuthorizationRequest, user_id: str) -> Granted:
        """A code for a user who has just given their password.

        Raises
        ------
        NotAMember, MembershipMissing
        """
        async with self._database.transaction(_PLATFORM) as connection:
            return await self._grant(connection, request, user_id, by="password")

    async def grant_by_link(self, request: AuthorizationRequest, secret: str) -> Granted:
        """A code for the user of a one-time link, which is used up.

        Raises
        ------
        LinkInvalid, LinkIsForSetup, NotAMember, MembershipMissing
        """
        async with self._database.transaction(_PLATFORM) as connection:
            link = await queries.use_link(connection, hash_secret(secret))
            if link is None:
                raise LinkInvalid
            # A refusal rolls back, and leaves the link unused.
            if link.purpose == "setup":
                raise LinkIsForSetup
            return await self._grant(connection, request, link.user_id, by="link")

    async def _grant(
        self, connection: AsyncConnection, request: AuthorizationRequest, user_id: str, *, by: str
    ) -> Granted:
        organizations = await queries.organizations_of(connection, user_id)
        if not organizations:
            raise MembershipMissing
        if request.organization_id is not None:
            organizations = [one for one in organizations if one.id == request.organization_id]
            if not organizations:
                raise NotAMember(organization_id=request.organization_id)
        is_clear = len(organizations) == 1
        code = new_secret()
        await code_queries.delete_old_codes(connection, CODE_MEMORY)
        await code_queries.insert_code(
            connection,
            request,
            code_hash=hash_secret(code),
            user_id=user_id,
            organization_id=organizations[0].id if is_clear else None,
            lifetime=CODE_LIFETIME if is_clear else CHOICE_LIFETIME,
        )
        await audit.record(
            connection, "user.login", subject=user_id, user_id=user_id, by=by, client_id=request.client_id
        )
        return Granted(code, [] if is_clear else organizations)

    async def choose(self, code: str, organization_id: str) -> str:
        """Make a code good for an organization; returns the address that brings it to its client.

        Raises
        ------
        ChoiceExpired
            If the code does not wait for that any more.
        NotAMember
        """
        async with self._database.transaction(_PLATFORM) as connection:
            waiting = await code_queries.code_to_complete(connection, hash_secret(code))
            if waiting is None:
                raise ChoiceExpired
            organizations = await queries.organizations_of(connection, waiting.user_id)
            if organization_id not in {one.id for one in organizations}:
                raise NotAMember(organization_id=organization_id)
            await code_queries.complete_code(
                connection, waiting.code_hash, organization_id=organization_id, lifetime=CODE_LIFETIME
            )
        return answer(waiting.redirect_uri, waiting.state, code=code)

    async def redeem(self, code: str, *, client_id: str, redirect_uri: str, code_verifier: str) -> TokenResponse:
        """Begin the session that a code stands for. A code that comes again ends the session that it gave.

        Raises
        ------
        CodeInvalid, MembershipMissing
        """
        code_hash = hash_secret(code)
        async with self._database.transaction(_PLATFORM) as connection:
            found = await code_queries.code(connection, code_hash)
            if found is not None and found.session_id is None:
                is_theirs = (found.client_id, found.redirect_uri) == (client_id, redirect_uri)
                if found.expired or found.organization_id is None or not is_theirs:
                    raise CodeInvalid
                if not proves(code_verifier, found.code_challenge):
                    raise CodeInvalid
                session = await self._sessions.start(
                    connection,
                    user_id=found.user_id,
                    client_id=client_id,
                    organization_id=found.organization_id,
                    scope=found.scope,
                    nonce=found.nonce,
                )
                await code_queries.redeem_code(connection, code_hash, session.id)
                return session.tokens
            if found is not None:
                await session_queries.end_session(connection, found.session_id)
                await audit.record(connection, "code.replayed", subject=str(found.session_id), user_id=found.user_id)
        raise CodeInvalid
