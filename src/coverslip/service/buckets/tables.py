from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, text

from coverslip.service.database.metadata import instant, metadata

bucket_key = Table(
    "bucket_key",
    metadata,
    Column("access_key_id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("secret_encrypted", LargeBinary, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("revoked_at", instant),
)
Index(
    "bucket_key_live",
    bucket_key.c.organization_id,
    bucket_key.c.user_id,
    unique=True,
    postgresql_where=bucket_key.c.revoked_at.is_(None),
)
