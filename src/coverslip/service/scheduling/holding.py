"""What the holder of a lease may do: keep it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.worker import HeartbeatRequest
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity.secrets import hash_secret
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.scheduling.errors import LeaseLost


async def require_lease(
    connection: AsyncConnection, worker_id: UUID, item_id: UUID, token: str, *, lock: bool = False
) -> AnyRow:
    """The lease that ``token`` is the right to; with ``lock``, nobody else ends it in this transaction.

    Raises
    ------
    LeaseLost
        If it has expired, was revoked or is another's.
    """
    lease = await leases.valid_lease(
        connection, worker_id=worker_id, item_id=item_id, token_hash=hash_secret(token), lock=lock
    )
    if lease is None:
        raise LeaseLost
    return lease


async def heartbeat(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: HeartbeatRequest
) -> datetime:
    """Extend a lease and record how far its attempt is; returns when it expires now.

    Raises
    ------
    LeaseLost
    """
    async with context.database.transaction(PlatformScope()) as connection:
        lease = await require_lease(connection, worker_id, item_id, token, lock=True)
        await leases.record_progress(
            connection,
            item_id=item_id,
            number=lease.attempt,
            stage=request.stage,
            fraction=request.fraction,
            stages=request.stages,
        )
        return await leases.extend_lease(connection, item_id, timedelta(seconds=context.settings.lease_s))
