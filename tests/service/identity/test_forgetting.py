"""What signing in leaves behind goes, but not while anything still looks at it."""

from coverslip.service.identity.commands import forget_spent
from coverslip.service.identity.rules import CODE_MEMORY, FAILURE_WINDOW, SPENT_MEMORY
from harness.service import TestService

AGES = {"new": "0 days", "kept": "6 days", "old": "8 days"}


def fill(service: TestService, user_id: str, organization_id: str) -> None:
    """One row of each kind that lost its meaning now, six days and eight days ago, and such as have not lost it."""
    rows = service.database.rows
    for name, age in AGES.items():
        then = f"now() - interval '{age}'"
        later = "now() + interval '1 day'"
        rows(f"insert into login_failure (email, failed_at) values ('{name}', {then})")
        rows(
            "insert into device_authorization (device_code_hash, user_code, client_id, expires_at) "
            f"values ('{name}', '{name}', 'cli', {then})"
        )
        link = "insert into one_time_link (secret_hash, purpose, user_id, expires_at, used_at) values "
        rows(f"{link} ('expired {name}', 'setup', null, {then}, null)")
        rows(f"{link} ('used {name}', 'login', %s, {later}, {then})", user_id)
        for how, ends, revoked in (("expired", then, "null"), ("revoked", later, then), ("alive", later, "null")):
            rows(
                "insert into refresh_token (token_hash, user_id, organization_id, client_id, expires_at, revoked_at) "
                f"values ('{how} {name}', %s, %s, 'cli', {ends}, {revoked})",
                user_id,
                organization_id,
            )


def left(service: TestService, table: str, column: str) -> set[str]:
    return {str(row[0]) for row in service.database.rows(f"select convert_from({column}, 'UTF8') from {table}")}


def test_what_lost_its_meaning_long_ago_is_deleted(service: TestService) -> None:
    person = service.member()
    fill(service, person.user_id, person.organization_id)
    service.database.rows(
        "insert into authorization_code (code_hash, client_id, redirect_uri, code_challenge, scope, user_id, "
        "expires_at, session_id) select 'code', 'cli', 'http://x', 'c', 'offline_access', user_id, now(), id "
        "from refresh_token where token_hash = 'expired old'"
    )
    service.run(forget_spent(service.context.database))
    failures = {row.email for row in service.database.rows("select email from login_failure")}
    assert failures == {"new", "kept"}
    assert left(service, "device_authorization", "device_code_hash") == {"new", "kept"}
    assert left(service, "one_time_link", "secret_hash") == {"expired new", "expired kept", "used new", "used kept"}
    sessions = left(service, "refresh_token", "token_hash")
    assert sessions == {
        *(f"{how} {name}" for how in ("expired", "revoked", "alive") for name in ("new", "kept")),
        "alive old",
        "expired old",
    }, "a session whose code is remembered stays as long as that"


def test_nothing_goes_that_the_rules_look_back_at() -> None:
    assert SPENT_MEMORY > FAILURE_WINDOW
    assert SPENT_MEMORY > CODE_MEMORY
