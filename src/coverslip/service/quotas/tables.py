from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from coverslip.service.database.metadata import instant, metadata

_amount = Numeric(12, 4)

# NULL in a quota: unlimited.
organization_quota = Table(
    "organization_quota",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), primary_key=True),
    Column("slides_per_month", BigInteger),
    Column("parallel_runs", BigInteger),
    Column("slides_per_run", BigInteger),
    Column("users", BigInteger),
    Column("storage_bytes", BigInteger),
)

user_quota = Table(
    "user_quota",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("slides_per_month", BigInteger),
    Column("parallel_runs", BigInteger),
    ForeignKeyConstraint(
        ["user_id", "organization_id"], ["membership.user_id", "membership.organization_id"], ondelete="cascade"
    ),
)

slide_price = Table(
    "slide_price",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    # NULL: every version without a price of its own.
    Column("version_number", Text),
    Column("amount", _amount, nullable=False),
    Column("currency", Text, nullable=False),
    ForeignKeyConstraint(
        ["application_id", "version_number"], ["application_version.application_id", "application_version.number"]
    ),
    UniqueConstraint("organization_id", "application_id", "version_number", postgresql_nulls_not_distinct=True),
    CheckConstraint("amount >= 0", name="slide_price_amount"),
)

# One row for each slide that succeeded, with what it cost then. Rows are only ever added.
slide_usage = Table(
    "slide_usage",
    metadata,
    Column("item_id", Uuid, ForeignKey("item.id"), primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("version_number", Text, nullable=False),
    Column("succeeded_at", instant, nullable=False, server_default=text("now()")),
    Column("is_reused", Boolean, nullable=False),
    # NULL, both: it was free.
    Column("amount", _amount),
    Column("currency", Text),
    CheckConstraint("(amount is null) = (currency is null)", name="slide_usage_cost"),
)
Index("slide_usage_organization", slide_usage.c.organization_id, slide_usage.c.succeeded_at)
