"""Signing in and out, each step one transaction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.identity import OFFLINE_ACCESS, DeviceAuthorizationResponse, TokenResponse
from coverslip.service.audit import queries as audit
from coverslip.service.database.engine import Database
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import queries, setup
from coverslip.service.identity.authorization import AuthorizationCodes
from coverslip.service.identity.errors import (
    AuthorizationPending,
    DeviceCodeExpired,
    DeviceCodeInvalid,
    LinkInvalid,
    LoginThrottled,
    PasswordRefused,
    UserCodeUnknown,
)
from coverslip.service.identity.passwords import password_matches
from coverslip.service.identity.rules import (
    DEVICE_CODE_LIFETIME,
    DEVICE_POLL_INTERVAL_S,
    EMBEDDED_ISSUER,
    FAILURE_WINDOW,
    LINK_LIFETIME,
    SPENT_MEMORY,
    LinkPurpose,
    is_throttled,
)
from coverslip.service.identity.secrets import hash_secret, new_secret, new_user_code
from coverslip.service.identity.sessions import Sessions
from coverslip.service.identity.tokens import TokenIssuer

_PLATFORM = PlatformScope()


class SignIn:
    """The embedded issuer's ways to sign in.

    Parameters
    ----------
    database
        Where accounts and sessions are.
    issuer
        Signs the access tokens.
    refresh_token_lifetime_s
        How long a session lasts, in seconds.

    Attributes
    ----------
    sessions
        What begins with each sign-in.
    codes
        The way through a browser.
    """

    def __init__(self, database: Database, issuer: TokenIssuer, *, refresh_token_lifetime_s: int) -> None:
        self._database = database
        self.sessions = Sessions(database, issuer, lifetime_s=refresh_token_lifetime_s)
        self.codes = AuthorizationCodes(database, self.sessions)

    async def link_purpose(self, secret: str) -> LinkPurpose:
        """What a one-time link is for.

        Raises
        ------
        LinkInvalid
            If it has been used, has expired or never was.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            link = await queries.valid_link(connection, hash_secret(secret))
        if link is None:
            raise LinkInvalid
        return "setup" if link.purpose == "setup" else "login"

    async def redeem_link(
        self, secret: str, *, client_id: str, administrator: setup.FirstAdministrator | None
    ) -> TokenResponse:
        """Sign in with a one-time link; a set-up link first founds the platform with ``administrator``.

        Raises
        ------
        LinkInvalid, SetupIncomplete, AlreadySetUp, MembershipMissing
        """
        async with self._database.transaction(_PLATFORM) as connection:
            user_id = await self._use_link(connection, secret, administrator)
            return (await self.sessions.start(connection, user_id=user_id, client_id=client_id)).tokens

    async def set_up(self, secret: str, administrator: setup.FirstAdministrator) -> None:
        """As ``redeem_link``, but start no session.

        Raises
        ------
        LinkInvalid, SetupIncomplete, AlreadySetUp
        """
        async with self._database.transaction(_PLATFORM) as connection:
            await self._use_link(connection, secret, administrator)

    async def approve_device_by_link(self, secret: str, user_code: str) -> None:
        """Let the device that shows ``user_code`` act for the user of a one-time link.

        Raises
        ------
        LinkInvalid
        UserCodeUnknown
            If no device waits with that code; the link can be used again.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            user_id = await self._use_link(connection, secret, None)
            await self._approve_device(connection, user_code, user_id)

    async def _use_link(
        self, connection: AsyncConnection, secret: str, administrator: setup.FirstAdministrator | None
    ) -> str:
        link = await queries.use_link(connection, hash_secret(secret))
        if link is None:
            raise LinkInvalid
        if link.purpose == "login":
            await audit.record(connection, "user.login", subject=link.user_id, user_id=link.user_id, by="link")
            return str(link.user_id)
        # A refusal rolls back, and leaves the link unused.
        form = administrator or setup.FirstAdministrator("", "", "")
        setup.check(form)
        return await setup.found(connection, form)

    async def start_device(
        self, client_id: str, verification_uri: str, scope: str = OFFLINE_ACCESS
    ) -> DeviceAuthorizationResponse:
        """Begin the device flow (RFC 8628)."""
        device_code, user_code = new_secret(), new_user_code()
        async with self._database.transaction(_PLATFORM) as connection:
            await queries.insert_device_authorization(
                connection,
                device_code_hash=hash_secret(device_code),
                user_code=user_code,
                client_id=client_id,
                scope=scope,
                lifetime=DEVICE_CODE_LIFETIME,
            )
        return DeviceAuthorizationResponse(
            device_code=device_code,
            user_code=user_code,
            verification_uri=verification_uri,
            verification_uri_complete=f"{verification_uri}?user_code={user_code}",
            expires_in=int(DEVICE_CODE_LIFETIME.total_seconds()),
            interval=DEVICE_POLL_INTERVAL_S,
        )

    async def redeem_device(self, device_code: str, *, client_id: str) -> TokenResponse:
        """Sign in a device whose code somebody has confirmed.

        Raises
        ------
        AuthorizationPending, DeviceCodeExpired, DeviceCodeInvalid, MembershipMissing
        """
        code_hash = hash_secret(device_code)
        async with self._database.transaction(_PLATFORM) as connection:
            device = await queries.device_authorization_by_code(connection, code_hash)
            if device is None or device.client_id != client_id:
                raise DeviceCodeInvalid
            if device.expired:
                raise DeviceCodeExpired
            if device.user_id is None:
                raise AuthorizationPending
            await queries.delete_device_authorization(connection, code_hash)
            session = await self.sessions.start(
                connection, user_id=device.user_id, client_id=client_id, scope=device.scope
            )
            return session.tokens

    async def check_password(self, email: str, password: str) -> str:
        """The id of the user with this e-mail address and password.

        Raises
        ------
        PasswordRefused
            If there is none.
        LoginThrottled
            If there were too many wrong passwords of late.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            if is_throttled(await queries.recent_login_failures(connection, email, FAILURE_WINDOW)):
                raise LoginThrottled
            # A failure until the password proves right, so that many attempts at once are counted too.
            await queries.record_login_failure(connection, email)
            account = await queries.account_by_email(connection, issuer=EMBEDDED_ISSUER, email=email)
        matches = await password_matches(password, account.password_hash if account is not None else None)
        if account is None or not matches:
            raise PasswordRefused
        async with self._database.transaction(_PLATFORM) as connection:
            await queries.forget_login_failures(connection, email)
        return str(account.id)

    async def approve_device(self, user_code: str, user_id: str) -> None:
        """Let the device that shows ``user_code`` act for the user.

        Raises
        ------
        UserCodeUnknown
            If no device waits with that code.
        """
        async with self._database.transaction(_PLATFORM) as connection:
            await self._approve_device(connection, user_code, user_id)

    async def _approve_device(self, connection: AsyncConnection, user_code: str, user_id: str) -> None:
        user_code = user_code.strip().upper()
        if not await queries.approve_device(connection, user_code=user_code, user_id=user_id):
            raise UserCodeUnknown(user_code=user_code)
        await audit.record(connection, "user.login", subject=user_id, user_id=user_id, by="device")


async def new_link(database: Database, *, email: str | None, only_first: bool) -> str | None:
    """Make a one-time link and return its secret.

    It signs in the account with ``email``. Without an e-mail address it sets up the platform or, once that has been
    done, signs in the first administrator; with ``only_first`` it does nothing once that has been done. None if there
    is no such account, or nothing to do.
    """
    secret = new_secret()
    async with database.transaction(_PLATFORM) as connection:
        purpose: LinkPurpose = "login"
        if email is not None:
            account = await queries.account_by_email(connection, issuer=EMBEDDED_ISSUER, email=email)
            user_id = account.id if account is not None else None
        else:
            user_id = await queries.first_administrator(connection)
            purpose = "setup" if user_id is None else "login"
        if (email is not None and user_id is None) or (only_first and purpose == "login"):
            return None
        await queries.insert_link(
            connection, secret_hash=hash_secret(secret), purpose=purpose, user_id=user_id, lifetime=LINK_LIFETIME
        )
        await audit.record(connection, "link.made", subject=user_id or "platform", purpose=purpose)
    return secret


async def forget_spent(database: Database) -> None:
    """Delete what signing in has left behind and means nothing any more."""
    async with database.transaction(_PLATFORM) as connection:
        await queries.delete_spent(connection, SPENT_MEMORY)
