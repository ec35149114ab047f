from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, func, text

from coverslip.service.database.metadata import instant, json_object, metadata

user_account = Table(
    "user_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_verified", Boolean, nullable=False, server_default=text("false")),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("updated_at", instant, nullable=False, server_default=text("now()")),
    Column("disabled_at", instant),
)
Index("user_account_subject", user_account.c.issuer, user_account.c.subject, unique=True)
Index("user_account_email", user_account.c.issuer, func.lower(user_account.c.email), unique=True)

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public_jwk", json_object, nullable=False),
    Column("private_key_encrypted", LargeBinary, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("retired_at", instant),
)

one_time_link = Table(
    "one_time_link",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id")),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("expires_at", instant, nullable=False),
    Column("used_at", instant),
    CheckConstraint("purpose in ('setup', 'login')", name="one_time_link_purpose"),
    CheckConstraint("(purpose = 'login') = (user_id is not null)", name="one_time_link_user"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("expires_at", instant, nullable=False),
    Column("revoked_at", instant),
    Column("id", Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")),
    Column("scope", Text, nullable=False, server_default="offline_access"),
    Column("label", Text),
    Column("last_used_at", instant),
)
Index("refresh_token_user", refresh_token.c.user_id)

device_authorization = Table(
    "device_authorization",
    metadata,
    Column("device_code_hash", LargeBinary, primary_key=True),
    Column("user_code", Text, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("expires_at", instant, nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id")),
    Column("scope", Text, nullable=False, server_default="offline_access"),
)

authorization_code = Table(
    "authorization_code",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("state", Text),
    Column("nonce", Text),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("organization_id", Text, ForeignKey("organization.id")),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("expires_at", instant, nullable=False),
    Column("session_id", Uuid, ForeignKey("refresh_token.id")),
)
Index("authorization_code_expires", authorization_code.c.expires_at)

login_failure = Table(
    "login_failure",
    metadata,
    Column("email", Text, nullable=False),
    Column("failed_at", instant, nullable=False, server_default=text("now()")),
)
Index("login_failure_recent", login_failure.c.email, login_failure.c.failed_at)
