"""The schema, and the walls inside PostgreSQL that hold whatever the service's code forgets."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select

from coverslip.service.database.engine import psycopg_url
from coverslip.service.database.migrate import DatabaseNewer, migrate, migration_config
from coverslip.service.database.scope import OrganizationScope, PlatformScope
from coverslip.service.database.tables import metadata
from coverslip.service.lifecycle import TRANSITIONS, State
from coverslip.service.runs.tables import run
from harness.people import Person
from harness.service import TestService

HEAD = ScriptDirectory.from_config(migration_config()).get_current_head()


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def as_service(service: TestService) -> Iterator[psycopg.Connection[Any]]:
    with service.database.connect("service") as connection:
        yield connection


@pytest.fixture
def as_reader(service: TestService) -> Iterator[psycopg.Connection[Any]]:
    with service.database.connect("reader") as connection:
        yield connection


def enter(connection: psycopg.Connection[Any], organization_id: str) -> None:
    connection.execute(
        "select set_config('coverslip.organization', %s, false) as who, "
        "set_config('coverslip.reach', 'organization', false) as reach",
        (organization_id,),
    )


TENANT_TABLES = (
    "access_grant",
    "share_token",
    "run",
    "item",
    "input_artifact",
    "output_artifact",
    "event",
    "lease",
    "attempt",
    "bucket_key",
    "bucket_object",
    "organization_queue",
    "upload",
    "webhook",
    "webhook_delivery",
    "organization_quota",
    "user_quota",
    "slide_price",
    "slide_usage",
    "item_content",
)


NEVER_REWRITTEN = {"event", "access_grant", "bucket_key", "share_token", "slide_usage", "item_content"}
"""Of these the service may change nothing that tells whose they are, nor delete them."""


class TestSchema:
    def test_the_migrations_make_the_tables_that_the_code_knows(self, service: TestService) -> None:
        engine = create_engine(psycopg_url(service.database.url("owner")))
        with engine.connect() as connection:
            found = compare_metadata(
                MigrationContext.configure(
                    connection, opts={"compare_type": True, "compare_server_default": False, "include_name": known}
                ),
                metadata,
            )
        engine.dispose()
        assert found == []

    def test_the_constraints_are_those_of_the_code(self, service: TestService) -> None:
        declared = {
            constraint.name
            for table in metadata.tables.values()
            for constraint in table.constraints
            if isinstance(constraint.name, str) and str(constraint.name) != "_unnamed_"
        }
        found = service.database.rows("select conname from pg_constraint where contype = 'c' and conrelid <> 0")
        assert declared == {row.conname for row in found}

    def test_the_transitions_are_those_of_the_code(self, service: TestService) -> None:
        rows = service.database.rows("select source, target from state_transition")
        assert {(State(row.source), State(row.target)) for row in rows} == TRANSITIONS

    def test_migrating_again_changes_nothing(self, service: TestService) -> None:
        assert migrate(service.settings) == HEAD

    def test_a_newer_database_is_left_alone(self, service: TestService) -> None:
        service.database.rows("update alembic_version set version_num = '9999'")
        try:
            with pytest.raises(DatabaseNewer, match="9999"):
                migrate(service.settings)
        finally:
            service.database.rows(f"update alembic_version set version_num = '{HEAD}'")


def known(name: str | None, kind: str, _parents: object) -> bool:
    # It is the migrations' own; the code has its frozen counterpart in `lifecycle`.
    return (kind, name) not in {("table", "state_transition"), ("table", "alembic_version")}


class TestTransitions:
    @pytest.mark.parametrize("table", ["run", "item", "output_artifact"])
    @pytest.mark.parametrize("target", State)
    def test_what_has_ended_never_moves(self, service: TestService, ada: Person, table: str, target: State) -> None:
        ada.submit("a")
        service.worker().finish_all()
        if target is State.TERMINATED:
            change = f"update {table} set termination_reason = %s"
            reason = "CANCELED_BY_USER" if table == "run" else "USER_ERROR"
        else:
            change, reason = f"update {table} set state = '{target}', termination_reason = %s", None
        with pytest.raises(psycopg.errors.CheckViolation):
            service.database._connection.execute(change, (reason,))

    @pytest.mark.parametrize("table", ["run", "item", "output_artifact"])
    def test_nothing_begins_but_pending(self, service: TestService, ada: Person, table: str) -> None:
        ada.submit("a")
        for state in ("PROCESSING", "TERMINATED"):
            with pytest.raises(psycopg.errors.CheckViolation):
                service.database.rows(
                    f"insert into {table} select (jsonb_populate_record({table}, jsonb_build_object("
                    f"'id', gen_random_uuid(), 'state', '{state}'))).* from {table}"
                )

    @pytest.mark.parametrize(
        "change",
        [
            "update run set item_pending_count = item_pending_count - 1",
            "update run set item_pending_count = -1, item_processing_count = 2",
            "update run set state = 'DONE'",
            "update run set state = 'TERMINATED'",
            "update item set state = 'TERMINATED'",
            "update item set termination_reason = 'SUCCEEDED'",
            "update output_artifact set output = 'AVAILABLE'",
            "update membership set role = 'owner'",
        ],
    )
    def test_impossible_rows_are_refused(self, service: TestService, ada: Person, change: str) -> None:
        ada.submit("a")
        with pytest.raises(psycopg.errors.CheckViolation):
            service.database.rows(change)

    def test_no_item_is_leased_twice(self, service: TestService, ada: Person) -> None:
        ada.submit("a")
        service.worker().must_lease()
        with pytest.raises(psycopg.errors.UniqueViolation):
            service.database.rows("insert into lease select * from lease")


class TestWalls:
    @pytest.fixture
    def stranger(self, service: TestService, ada: Person) -> Person:
        """Somebody of another organization; Ada's has a row in every table."""
        ada.upload("s.svs", b"abc")
        ada.get("/api/v1/me").raise_for_status()  # which makes a bucket key
        ada.post("/api/coverslip/v1/webhooks", json={"url": "https://lims.example/"}).raise_for_status()
        run_id = ada.submit("a")
        token_id = ada.share_token()["share_token_id"]
        ada.grant("run", run_id, "share_token", token_id)
        service.worker().must_lease()
        for statement in (
            "insert into organization_quota (organization_id) select id from organization",
            "insert into user_quota (organization_id, user_id) select organization_id, user_id from membership",
            "insert into slide_price select id, 'test-app', null, 1, 'EUR' from organization",
            (
                "insert into slide_usage select item.id, run.organization_id, submitted_by, application_id, "
                "version_number, now(), false from item join run on run.id = run_id"
            ),
            "insert into item_content (item_id, organization_id, key) select id, organization_id, '' from item",
        ):
            service.database.rows(statement)
        return service.member()

    def test_every_table_of_an_organization_has_a_wall(self, service: TestService) -> None:
        walled = service.database.rows("select relname from pg_class where relrowsecurity")
        assert {row.relname for row in walled} == set(TENANT_TABLES)
        with_organization = {name for name, table in metadata.tables.items() if "organization_id" in table.c}
        outside = {"audit_entry", "authorization_code", "membership", "refresh_token"}
        assert with_organization - outside == set(TENANT_TABLES)

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_rows_of_others_are_out_of_sight_and_reach(
        self, as_service: psycopg.Connection[Any], ada: Person, stranger: Person, table: str
    ) -> None:
        assert as_service.execute(f"select * from {table}").fetchall() == [], "without a scope nothing is seen"
        enter(as_service, stranger.organization_id)
        assert as_service.execute(f"select * from {table}").fetchall() == []
        if table not in NEVER_REWRITTEN:
            moved = as_service.execute(f"update {table} set organization_id = %s", (stranger.organization_id,))
            assert moved.rowcount == 0
            assert as_service.execute(f"delete from {table}").rowcount == 0
        enter(as_service, ada.organization_id)
        rows = as_service.execute(f"select * from {table}").fetchall()
        assert rows
        if table not in NEVER_REWRITTEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                as_service.execute(f"update {table} set organization_id = %s", (stranger.organization_id,))

    def test_rows_cannot_be_planted_in_another_organization(
        self, as_service: psycopg.Connection[Any], ada: Person, stranger: Person
    ) -> None:
        enter(as_service, stranger.organization_id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            as_service.execute(
                "insert into bucket_object (path, organization_id, user_id, size_bytes, checksum_base64_crc32c) "
                "values ('p', %s, %s, 1, '')",
                (ada.organization_id, stranger.user_id),
            )

    def test_a_scope_ends_with_its_transaction(self, service: TestService, ada: Person, stranger: Person) -> None:
        async def seen(scope: OrganizationScope | PlatformScope) -> int:
            async with service.context.database.transaction(scope) as connection:
                return len((await connection.execute(select(run.c.id))).all())

        for _ in range(20):
            assert service.run(seen(PlatformScope())) == 1
            assert service.run(seen(OrganizationScope(stranger.organization_id))) == 0
            assert service.run(seen(OrganizationScope(ada.organization_id))) == 1
            assert service.run(seen(OrganizationScope(""))) == 0

    @pytest.mark.parametrize("table", ["audit_entry", "event", "state_transition", "slide_usage"])
    @pytest.mark.parametrize("statement", ["update {} set {} = {}", "delete from {}", "truncate {}"])
    def test_history_cannot_be_rewritten(self, as_service: psycopg.Connection[Any], table: str, statement: str) -> None:
        columns = {"audit_entry": "action", "event": "kind", "state_transition": "source", "slide_usage": "amount"}
        column = columns[table]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_service.execute(statement.format(table, column, column))

    @pytest.mark.parametrize(
        "statement",
        [
            "create table mine (id int)",
            "alter table run add column mine int",
            "drop table event",
            "alter table run disable row level security",
            "drop policy organization on run",
            "set role owner",
            "create function f() returns int language sql as 'select 1'",
            "select pg_read_file('/etc/passwd')",
            "copy run to program 'cat'",
        ],
    )
    def test_the_service_defines_nothing(self, as_service: psycopg.Connection[Any], statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_service.execute(statement)

    def test_the_reader_reads_what_lists_show_and_no_more(
        self, as_reader: psycopg.Connection[Any], ada: Person, stranger: Person
    ) -> None:
        enter(as_reader, ada.organization_id)
        readable = set()
        for table in metadata.tables:
            try:
                as_reader.execute(f"select * from {table}")
                readable.add(table)
            except psycopg.errors.InsufficientPrivilege:
                pass
            for statement in (f"delete from {table}", f"insert into {table} default values", f"truncate {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    as_reader.execute(statement)
        assert readable == {"run", "item", "input_artifact", "output_artifact"}
        assert len(as_reader.execute("select * from run").fetchall()) == 1
        enter(as_reader, stranger.organization_id)
        assert as_reader.execute("select * from run").fetchall() == []

    def test_nothing_is_left_behind_by_a_transaction_that_fails(self, service: TestService, ada: Person) -> None:
        async def fail() -> None:
            async with service.context.database.transaction(PlatformScope()) as connection:
                await connection.execute(run.update().values(error_code="X"))
                raise RuntimeError(str(uuid4()))

        ada.submit("a")
        with pytest.raises(RuntimeError):
            service.run(fail())
        assert service.database.rows("select * from run where error_code is not null") == []
