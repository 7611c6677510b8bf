"""The migrations: upgrade, downgrade, with rows, and the same tables as the models."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from onboarding import files, identity
from onboarding.errors import Conflict
from onboarding.store import connections, environments, links, schema
from onboarding.store.database import Database
from tests import postgres
from tests.database_rounds import DATABASE

VERSIONS = sorted(one.name for one in (files.migrations() / "versions").glob("*.py"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Database]:
    """Create an empty database."""
    url = postgres.new_database() if DATABASE == "postgresql" else f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    yield database
    database.close()
    if DATABASE == "postgresql":
        postgres.drop(url)


def test_migrations_are_numbered_in_order() -> None:
    numbers = [int(re.fullmatch(r"(\d{4})_[a-z0-9_]+\.py", name)[1]) for name in VERSIONS]  # type: ignore[index]  # a name that does not fit fails right here
    assert numbers == list(range(1, len(VERSIONS) + 1))


# SQLite does not reflect the expression of ix_channel_connections_last_check; PostgreSQL compares it.
@pytest.mark.filterwarnings("ignore:.*expression-based index '?ix_channel_connections_last_check")
def test_models_equal_the_newest_migration(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations())
    with fresh.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.METADATA) == []


def test_every_migration_can_be_downgraded_and_upgraded_again(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations())
    there = set(inspect(fresh.engine).get_table_names())
    schema.downgrade(fresh, files.migrations(), "base")
    assert set(inspect(fresh.engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(fresh, files.migrations())
    assert set(inspect(fresh.engine).get_table_names()) == there


def test_rows_survive_each_migration_after_their_own(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0001")
    _add_rows_as_of_0001(fresh)
    schema.upgrade(fresh, files.migrations())
    with fresh.reading() as session:
        kept = environments.by_name(session, "Kept")
        connection = connections.by_identifier(session, "env_1", "chconn_1")
        held = session.execute(text("SELECT key, environment_id FROM connection_contexts")).one()
        assert tuple(held) == ("tenant:acme", "env_1")
    assert kept is not None
    assert (kept.created_at, kept.unknown_subscribers) == (datetime(2026, 1, 2, tzinfo=UTC), "create")
    assert connection is not None
    assert connection.context_digest == identity.context_digest(("tenant:acme",))
    assert connection.sort_name == "straße & co".casefold()


def test_result_of_an_unused_grant_moves_to_its_column_and_back(fresh: Database) -> None:
    details = {"att_1": "grant:revoked", "att_2": "invalid_scope", "att_3": None}
    schema.upgrade(fresh, files.migrations(), "0001")
    _add_rows_as_of_0001(fresh)
    schema.upgrade(fresh, files.migrations(), "0004")
    _add_attempts_as_of_0004(fresh, details)
    schema.upgrade(fresh, files.migrations())
    query = text("SELECT id, detail, grant_result FROM attempts ORDER BY id")
    with fresh.reading() as session:
        moved = [tuple(row) for row in session.execute(query)]
    assert moved == [("att_1", None, "revoked"), ("att_2", "invalid_scope", None), ("att_3", None, None)]
    schema.downgrade(fresh, files.migrations(), "0004")
    with fresh.reading() as session:
        rows = session.execute(text("SELECT id, detail FROM attempts ORDER BY id"))
        assert [tuple(row) for row in rows] == list(details.items())


def test_links_keep_what_they_offer_and_their_way_back(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0001")
    _add_rows_as_of_0001(fresh)
    schema.upgrade(fresh, files.migrations(), "0006")
    _add_links_as_of_0006(fresh)
    _add_attempts_as_of_0004(fresh, {"att_1": None})
    asked_for = "UPDATE attempts SET operator_id = 'ada@northwind.test', approval_link_id = 'lnk_3'"
    with fresh.transaction() as session:
        session.execute(text(asked_for))
    of_identity = text("SELECT id FROM links WHERE identity_key = :key")
    schema.upgrade(fresh, files.migrations())
    with fresh.reading() as session:
        offering = links.by_id(session, "lnk_1")
        origins = session.execute(text("SELECT integration_id, origin FROM allowed_origins ORDER BY origin")).all()
        operators = session.execute(text("SELECT id, operator_label FROM links WHERE operator_label IS NOT NULL")).all()
        waiting = session.scalars(of_identity, {"key": identity.identity_key("int_1", "bea", ["team:a"])}).all()
    assert offering is not None
    assert [(one.key, one.label) for one in offering.offered_contexts] == [("team:a", None), ("team:b", None)]
    assert [tuple(one) for one in origins] == [
        ("int_1", "http://other.example:8080"),
        ("int_1", "https://app.example"),
        ("int_1", "https://xn--bcher-kva.example"),
    ]
    assert waiting == ["lnk_3"]
    assert [tuple(one) for one in operators] == [("lnk_3", "ada@northwind.test")]
    with fresh.transaction() as session:
        session.execute(text("UPDATE links SET kind = 'session' WHERE id = 'lnk_2'"))
    with pytest.raises(Conflict), fresh.transaction() as session:
        session.execute(text("UPDATE links SET kind = 'unknown' WHERE id = 'lnk_2'"))
    schema.downgrade(fresh, files.migrations(), "0006")
    with fresh.reading() as session:
        assert (
            session.scalar(text("SELECT offered_context_keys FROM links WHERE id = 'lnk_1'")) == '["team:a", "team:b"]'
        )


def test_steps_of_older_attempts_are_those_that_were_stored(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0001")
    _add_rows_as_of_0001(fresh)
    schema.upgrade(fresh, files.migrations(), "0007")
    _add_attempts_as_of_0004(fresh, dict.fromkeys(("att_1", "att_2", "att_3")))
    with fresh.transaction() as session:
        session.execute(text("UPDATE attempts SET exchanging_at = created_at WHERE id = 'att_1'"))
        session.execute(text("UPDATE attempts SET approval_link_id = 'lnk_1' WHERE id = 'att_3'"))
    schema.upgrade(fresh, files.migrations())
    stored = text("SELECT id, sent_at = created_at, returned_at = created_at FROM attempts ORDER BY id")
    with fresh.reading() as session:
        steps = [tuple(row) for row in session.execute(stored)]
    assert steps == [("att_1", True, True), ("att_2", True, None), ("att_3", None, None)]
    schema.downgrade(fresh, files.migrations(), "0007")
    assert "sent_at" not in {one["name"] for one in inspect(fresh.engine).get_columns("attempts")}


def test_latest_try_of_older_deliveries_is_kept(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0025")
    _add_environment(fresh)
    at: object = datetime(2026, 1, 2, tzinfo=UTC) if not fresh.is_sqlite else "2026-01-02 00:00:00.000000"
    endpoint: dict[str, object] = {
        "id": "whe_1",
        "environment_id": "env_1",
        "url": "https://a.example",
        "description": "",
        "events": "[]",
    }
    endpoint |= {"secret": b"sealed", "created_at": at, "updated_at": at}
    delivery: dict[str, object] = {
        "environment_id": "env_1",
        "endpoint_id": "whe_1",
        "message_id": "evt_1",
        "event": "webhook.test",
    }
    delivery |= {"created_at": at, "subject": "whe_1", "body": "{}", "failures": 0, "due_at": at}
    tried = {"tried_at": at, "answer_status": 503, "problem": "The answer had status 503.", "milliseconds": 7}
    rows: list[tuple[str, dict[str, object]]] = [
        ("webhook_endpoints", endpoint),
        ("webhook_deliveries", {**delivery, **tried, "id": "dlv_1", "state": "waiting", "number": 2}),
        ("webhook_deliveries", {**delivery, **tried, "id": "dlv_2", "state": "parked", "number": 9}),
        ("webhook_deliveries", {**delivery, "id": "dlv_3", "state": "waiting", "number": 1}),
    ]
    _insert(fresh, rows)
    schema.upgrade(fresh, files.migrations())
    with fresh.reading() as session:
        found = session.execute(
            text("SELECT delivery_id, number, answer_status FROM webhook_tries ORDER BY delivery_id")
        )
        assert [tuple(row) for row in found] == [("dlv_1", 1, 503), ("dlv_2", 9, 503)]


def test_downgrade_keeps_the_rows_that_older_tables_can_store(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0001")
    _add_rows_as_of_0001(fresh)
    schema.upgrade(fresh, files.migrations())
    schema.downgrade(fresh, files.migrations(), "0001")
    with fresh.reading() as session:
        assert session.scalar(text("SELECT identifier FROM channel_connections")) == "chconn_1"
        assert session.scalar(text("SELECT key FROM connection_contexts")) == "tenant:acme"


def test_result_and_name_of_a_disconnect_move_to_columns_and_back(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations(), "0003")
    _add_environment(fresh)
    entry = {"id": "aud_1", "environment_id": "env_1", "at": "2026-01-02 00:00:00.000000", "actor": "shell"}
    entry |= {"action": "connection.disconnected", "subject": "chconn_1", "detail": "revoked:Acme: Europe"}
    with fresh.transaction() as session:
        names = ", ".join(entry)
        session.execute(text(f"INSERT INTO audit_entries ({names}) VALUES (:{', :'.join(entry)})"), entry)  # noqa: S608  # names of ours
    schema.upgrade(fresh, files.migrations(), "0004")
    of_deployment = {"id": "aud_2", "actor": "shell", "action": "operator.added", "subject": "opr_1", "detail": ""}
    with fresh.transaction() as session:
        found = session.execute(text("SELECT result, subject_name FROM audit_entries")).one()
        assert tuple(found) == ("revoked", "Acme: Europe")
        session.execute(
            text(
                "INSERT INTO audit_entries (id, at, actor, action, subject, detail) "
                "SELECT :id, at, :actor, :action, :subject, :detail FROM audit_entries"
            ),
            of_deployment,
        )
    schema.downgrade(fresh, files.migrations(), "0003")
    with fresh.reading() as session:
        kept = session.execute(text("SELECT id, environment_id, detail FROM audit_entries ORDER BY id")).all()
    assert [tuple(one) for one in kept] == [("aud_1", "env_1", "revoked:Acme: Europe"), ("aud_2", "env_1", "")]


def test_downgrade_with_rows_leaves_no_table(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations())
    _add_environment(fresh)
    schema.downgrade(fresh, files.migrations(), "base")
    assert set(inspect(fresh.engine).get_table_names()) == {"alembic_version"}


def test_second_upgrade_changes_nothing(fresh: Database) -> None:
    schema.upgrade(fresh, files.migrations())
    _add_environment(fresh)
    schema.upgrade(fresh, files.migrations())
    with fresh.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM environments")) == 1


def _add_environment(database: Database) -> None:
    with database.transaction() as session:
        environments.add(
            session,
            environments.Environment(id="env_1", name="Kept", created_at=datetime(2026, 1, 2, tzinfo=UTC)),
        )


def _add_rows_as_of_0001(database: Database) -> None:
    """Add rows by SQL statements: the classes know only the newest tables."""
    at: object = datetime(2026, 1, 2, tzinfo=UTC) if not database.is_sqlite else "2026-01-02 00:00:00.000000"
    rows: list[tuple[str, dict[str, object]]] = [
        ("environments", {"id": "env_1", "name": "Kept", "created_at": at}),
        (
            "integrations",
            {
                "id": "int_1",
                "environment_id": "env_1",
                "identifier": "slack-prod",
                "name": "Northwind",
                "client_id": "1.2",
            }
            | {"client_secret": b"0" * 20, "scopes": "", "is_practice": False, "workspace_policy": "allow"}
            | {"created_at": at},
        ),
        (
            "installations",
            {"id": "ins_1", "environment_id": "env_1", "integration_id": "int_1", "slack_key": "team:T1", "scopes": ""}
            | {"access_token": b"0" * 20, "token_last_four": "abcd", "installed_at": at},
        ),
        (
            "channel_connections",
            {
                "id": "con_1",
                "environment_id": "env_1",
                "integration_id": "int_1",
                "installation_id": "ins_1",
                "identifier": "chconn_1",
                "identity_key": "k",
                "mode": "shared",
                "workspace_id": "T1",
            }
            | {"workspace_name": "Straße & Co", "status": "healthy", "created_at": at, "updated_at": at}
            | {"context_keys": '["tenant:acme"]'},
        ),
        ("connection_contexts", {"connection_id": "con_1", "key": "tenant:acme", "position": 0}),
    ]
    _insert(database, rows)


def _add_attempts_as_of_0004(database: Database, details: dict[str, str | None]) -> None:
    at: object = datetime(2026, 1, 2, tzinfo=UTC) if not database.is_sqlite else "2026-01-02 00:00:00.000000"
    common: dict[str, object] = {
        "environment_id": "env_1",
        "integration_id": "int_1",
        "binding_digest": "",
        "redirect_uri": "",
    }
    common |= {"scopes": "", "may_replace": False, "stage": "finished", "created_at": at, "expires_at": at}
    rows: list[tuple[str, dict[str, object]]] = [
        ("attempts", {"id": name, "state_digest": name, "detail": detail, **common}) for name, detail in details.items()
    ]
    _insert(database, rows)


def _add_links_as_of_0006(database: Database) -> None:
    at: object = datetime(2026, 1, 2, tzinfo=UTC) if not database.is_sqlite else "2026-01-02 00:00:00.000000"
    common: dict[str, object] = {"environment_id": "env_1", "integration_id": "int_1", "is_open": False}
    common |= {"subscriber_id": "bea", "created_at": at, "expires_at": at}
    rows = [
        ("lnk_1", "invitation", "[]", '["team:a", "team:b"]', "https://App.example:443/done?a=1"),
        ("lnk_2", "invitation", "[]", "[]", "http://other.example:8080"),
        ("lnk_3", "approval", '["team:a"]', "[]", "https://bücher.example/"),
        ("lnk_4", "invitation", "[]", "[]", "https:///nothing"),
    ]
    names = ("id", "kind", "context_keys", "offered_context_keys", "return_url")
    _insert(
        database, [("links", {**common, "mode": "subscriber", **dict(zip(names, row, strict=True))}) for row in rows]
    )


def _insert(database: Database, rows: list[tuple[str, dict[str, object]]]) -> None:
    with database.transaction() as session:
        for table, values in rows:
            names = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)  # noqa: S608  # names of ours
