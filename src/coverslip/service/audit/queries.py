"""SQL that adds to the audit trail."""

from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.audit.tables import audit_entry


async def record(
    connection: AsyncConnection,
    action: str,
    *,
    subject: str,
    user_id: str | None = None,
    organization_id: str | None = None,
    **details: Any,
) -> None:
    """Record that ``user_id`` did ``action`` to ``subject``, in the transaction that does it."""
    await connection.execute(
        insert(audit_entry).values(
            action=action, subject=subject, user_id=user_id, organization_id=organization_id, details=details
        )
    )
