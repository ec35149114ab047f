from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text, text

from coverslip.service.database.metadata import instant, metadata

organization = Table(
    "organization",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
)

membership = Table(
    "membership",
    metadata,
    Column("user_id", Text, ForeignKey("user_account.id"), primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    CheckConstraint("role in ('member', 'admin', 'super_admin')", name="membership_role"),
)
