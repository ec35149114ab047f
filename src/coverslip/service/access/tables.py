from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text

from coverslip.service.database.metadata import instant, metadata

share_token = Table(
    "share_token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("created_by", Text, ForeignKey("user_account.id"), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("expires_at", instant),
    Column("revoked_at", instant),
)
Index(
    "share_token_by_creator",
    share_token.c.organization_id,
    share_token.c.created_by,
    share_token.c.created_at.desc(),
    share_token.c.id,
)

# "grant" is a word of SQL.
access_grant = Table(
    "access_grant",
    metadata,
    Column("id", Uuid, primary_key=True),
    # The organization of the resource, which need not be the subject's.
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    # The run that the resource is, or is part of.
    Column("run_id", Uuid, ForeignKey("run.id")),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("created_by", Text, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("revoked_at", instant),
    CheckConstraint(
        "resource_type in ('run', 'item', 'output_artifact', 'share_token')", name="access_grant_resource_type"
    ),
    CheckConstraint(
        "subject_type in ('user', 'organization_admin', 'organization_user', 'share_token')",
        name="access_grant_subject_type",
    ),
    CheckConstraint("relation = 'viewer'", name="access_grant_relation"),
    CheckConstraint("(resource_type = 'share_token') = (run_id is null)", name="access_grant_run"),
)
Index(
    "access_grant_by_organization",
    access_grant.c.organization_id,
    access_grant.c.created_at.desc(),
    access_grant.c.id,
)
Index(
    "access_grant_by_subject",
    access_grant.c.subject_type,
    access_grant.c.subject_id,
    postgresql_where=text("revoked_at is null"),
)
Index(
    "access_grant_live",
    access_grant.c.resource_type,
    access_grant.c.resource_id,
    access_grant.c.subject_type,
    access_grant.c.subject_id,
    unique=True,
    postgresql_where=text("revoked_at is null"),
)
Index("access_grant_of_run", access_grant.c.run_id, postgresql_where=text("revoked_at is null"))
