"""A home as the first release left it: its database at revision 0001, with a finished run and the files of it."""

import base64
import json
from uuid import UUID

import google_crc32c
import psycopg
from alembic import command
from sqlalchemy import create_engine

from coverslip.embedded.home import Home
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.connection import SUPERUSER
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.service.database.engine import psycopg_url
from coverslip.service.database.migrate import migration_config

FIRST_REVISION = "0001"
EMAIL = "ada@example.org"
RUN_ID = UUID(int=1)
ITEM_IDS = {"one.svs": UUID(int=11), "two.svs": UUID(int=12)}
RESULT = "tissue_qc:csv_class_information"
SLIDE = "org_old/slide"


def result_of(slide: str) -> bytes:
    """The content of a slide's only result."""
    return f"class,area_um2\n{slide},1\n".encode() * 1000


def fill(home: Home, database: PostgresServer) -> None:
    """Make the database and the files; the database is stopped again."""
    database.start()
    database.wait_until_ready()
    bootstrap(database.port, database._secrets)
    engine = create_engine(psycopg_url(database.url("owner")))
    with engine.connect() as connection:
        config = migration_config(connection)
        config.attributes |= {"service_role": "service", "reader_role": "reader"}
        command.upgrade(config, FIRST_REVISION)
        connection.commit()
    engine.dispose()
    with psycopg.connect(database.url(SUPERUSER)) as superuser:
        _insert_people(superuser)
        _insert_run(superuser)
    database.stop()
    for item_id, slide in ((str(number), name) for name, number in ITEM_IDS.items()):
        path = home.store / "results" / _result_path(item_id)
        path.parent.mkdir(parents=True)
        path.write_bytes(result_of(slide))
    (home.store / "inputs" / SLIDE).parent.mkdir(parents=True)
    (home.store / "inputs" / SLIDE).write_bytes(b"a slide")


def _insert_people(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute("insert into organization (id, name, display_name) values ('org_old', 'old', 'Old Laboratory')")
    connection.execute(
        "insert into user_account (id, issuer, subject, email, name) values "
        "('user_old', 'coverslip', 'user_old', %s, 'Ada Lovelace')",
        [EMAIL],
    )
    connection.execute("insert into membership values ('user_old', 'org_old', 'super_admin')")


def _insert_run(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """A run of an application that is not installed any more: its record needs nobody who could repeat it."""
    connection.execute("insert into application values ('old-app', 'Old', 'of long ago', '[\"RUO\"]')")
    connection.execute(
        "insert into application_version values ('old-app', '0.9.0', 'first', '[]', '[]', %s, '2026-01-01Z')",
        [json.dumps({"cpu": 1, "memory_mb": 1, "gpu": 0, "time_limit_s": 1})],
    )
    connection.execute(
        "insert into bucket_object values (%s, 'org_old', 'user_old', 7, %s)", [SLIDE, _checksum(b"a slide")]
    )
    connection.execute(
        "insert into run (id, organization_id, submitted_by, application_id, version_number, state, custom_metadata, "
        "due_by, item_count, item_pending_count, item_processing_count, item_succeeded_count, item_user_error_count, "
        "item_system_error_count, item_skipped_count, last_event) values "
        "(%s, 'org_old', 'user_old', 'old-app', '0.9.0', 'PENDING', %s, now(), 2, 2, 0, 0, 0, 0, 0, 0)",
        [RUN_ID, json.dumps({"sdk": {"note": "before the upgrade"}})],
    )
    for position, (slide, item_id) in enumerate(ITEM_IDS.items()):
        connection.execute(
            "insert into item (id, run_id, organization_id, position, external_id, state, attempt_count) values "
            "(%s, %s, 'org_old', %s, %s, 'PENDING', 1)",
            [item_id, RUN_ID, position, slide],
        )
        connection.execute(
            "insert into input_artifact values (gen_random_uuid(), %s, 'org_old', 'whole_slide_image', '{}', "
            "'http://127.0.0.1:8000/store/inputs/old', %s)",
            [item_id, SLIDE],
        )
        content = result_of(slide)
        metadata = {"media_type": "text/csv", "checksum_base64_crc32c": _checksum(content)}
        connection.execute(
            "insert into output_artifact (id, item_id, run_id, organization_id, name, position, state, output) values "
            "(gen_random_uuid(), %s, %s, 'org_old', %s, 0, 'PENDING', 'NONE')",
            [item_id, RUN_ID, RESULT],
        )
        connection.execute(
            "update output_artifact set state = 'TERMINATED', termination_reason = 'SUCCEEDED', output = 'AVAILABLE', "
            "metadata = %s, object_path = %s, size_bytes = %s, terminated_at = now() where item_id = %s",
            [json.dumps(metadata), _result_path(str(item_id)), len(content), item_id],
        )
    ended = "state = 'TERMINATED', terminated_at = now(), termination_reason"
    connection.execute(f"update item set {ended} = 'SUCCEEDED'")
    counts = "item_pending_count = 0, item_succeeded_count = 2, last_event = 1"
    connection.execute(f"update run set {ended} = 'ALL_ITEMS_PROCESSED', {counts}")
    connection.execute(
        "insert into event (run_id, number, organization_id, kind, payload) values (%s, 1, 'org_old', 'run.created', "
        "'{}')",
        [RUN_ID],
    )


def _result_path(item_id: str) -> str:
    return f"org_old/{RUN_ID}/{item_id}/1/content/{RESULT.replace(':', '%3A')}"


def _checksum(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
