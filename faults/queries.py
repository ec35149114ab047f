"""SQL of the fault suite, as the superuser: what no API shows, and the few things that only an operator can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row


@dataclass(frozen=True)
class Rows:
    """What the database holds of some runs, by table.

    Attributes
    ----------
    charged
        Ids of the items that count as used.
    leases
        How many there are, of any run.
    available
        Places in the store of the artifacts of all runs that can be downloaded.
    queues
        How many items of each organization wait and are in processing, as the scheduler has counted and by its runs.
    """

    items: Sequence[Any]
    attempts: Sequence[Any]
    artifacts: Sequence[Any]
    last_events: dict[UUID, int]
    charged: frozenset[UUID]
    leases: int
    available: frozenset[str]
    queues: Sequence[Any]


def insert_organization(database_url: str, name: str, email: str) -> None:
    """Found another organization with an administrator."""
    who = {"id": f"org_{name.lower()}", "user": f"user_{name.lower()}", "name": name, "email": email}
    with psycopg.connect(database_url) as connection:
        connection.execute("insert into organization (id, name, display_name) values (%(id)s, %(id)s, %(name)s)", who)
        connection.execute(
            "insert into user_account (id, issuer, subject, email, name) "
            "select %(user)s, issuer, %(user)s, %(email)s, %(name)s from user_account limit 1",
            who,
        )
        connection.execute(
            "insert into membership (user_id, organization_id, role) values (%(user)s, %(id)s, 'admin')", who
        )


def read_rows(database_url: str, run_ids: Sequence[UUID]) -> Rows:
    """All at one moment, by a transaction that cannot write."""
    with psycopg.connect(database_url, row_factory=namedtuple_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True

        def rows(statement: str) -> Sequence[Any]:
            return connection.execute(statement, {"runs": list(run_ids)}).fetchall()

        return Rows(
            items=rows("select * from item where run_id = any(%(runs)s)"),
            attempts=rows("select * from attempt where run_id = any(%(runs)s) order by item_id, number"),
            artifacts=rows("select * from output_artifact where run_id = any(%(runs)s)"),
            last_events={
                row.id: row.last_event for row in rows("select id, last_event from run where id = any(%(runs)s)")
            },
            charged=frozenset(
                row.item_id
                for row in rows(
                    "select item_id from slide_usage join item on item.id = item_id where run_id = any(%(runs)s)"
                )
            ),
            leases=rows("select count(*) as count from lease")[0].count,
            available=frozenset(
                row.object_path for row in rows("select object_path from output_artifact where output = 'AVAILABLE'")
            ),
            queues=rows(
                """select organization_id, waiting, processing, sum(item_pending_count) as pending_items,
                    sum(item_processing_count) as processing_items
                from organization_queue join run using (organization_id) group by 1, 2, 3"""
            ),
        )


def let_late_uploads_be_over(database_url: str, run_ids: Sequence[UUID]) -> None:
    """Have the platform delete now what it deletes for the last time two hours after an attempt, unless it is at it."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """update attempt set sweep_due_at = now() where run_id = any(%(runs)s) and sweep_due_at is not null
                and not exists (select from attempt where run_id = any(%(runs)s) and sweep_due_at <= now())""",
            {"runs": list(run_ids)},
        )
