"""INSERTs that are compiled once store what SQLAlchemy's own way stores, errors included."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, event, select

from onboarding.errors import Conflict
from onboarding.store import integrations
from onboarding.store.audit import AuditEntry
from onboarding.store.database import table_of
from onboarding.store.environments import Environment
from onboarding.store.inserts import CompiledInsert, NewRows, insert_together
from onboarding.store.subscribers import Subscriber
from tests.browser_client import Site
from tests.database_rounds import DATABASE

_AT = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
_SUBSCRIBERS = CompiledInsert(table_of(Subscriber))
_INTEGRATIONS = table_of(integrations.Integration)
_PRACTICE = CompiledInsert(_INTEGRATIONS)


def _subscriber(site: Site, subscriber_id: str, **values: object) -> dict[str, object]:
    environment_id = site.runtime.environments.first().id
    given = {
        "environment_id": environment_id,
        "subscriber_id": subscriber_id,
        "data": None,
        "created_at": _AT,
        "updated_at": _AT,
    }
    return {**given, **values}


def _names(rows: Connection) -> list[str]:
    return sorted(rows.scalars(select(table_of(Subscriber).c.subscriber_id)))


@pytest.mark.parametrize("is_heard", [False, True], ids=["compiled", "by SQLAlchemy"])
def test_inserts_store_every_row(site: Site, is_heard: bool) -> None:
    database = site.runtime.database
    if is_heard:
        event.listen(database.engine, "before_cursor_execute", lambda *_heard: None)
    with database.changing_rows() as rows:
        _SUBSCRIBERS.one(rows, _subscriber(site, "one"))
        _SUBSCRIBERS.all(rows, [_subscriber(site, "two"), _subscriber(site, "three", first_name="Ada")])
        _SUBSCRIBERS.all(rows, [])
        assert _SUBSCRIBERS.one_if_new(rows, _subscriber(site, "four"))
        assert not _SUBSCRIBERS.one_if_new(rows, _subscriber(site, "four", first_name="Bea"))
        _SUBSCRIBERS.all_if_new(rows, [_subscriber(site, "four", first_name="Bea"), _subscriber(site, "six")])
        _SUBSCRIBERS.all_if_new(rows, [])
    with database.transaction() as session:
        _SUBSCRIBERS.one(session, _subscriber(site, "five"))
        named = session.scalars(select(Subscriber.subscriber_id).where(Subscriber.first_name == "Ada")).all()
    assert named == ["three"]
    with database.rows() as rows:
        assert _names(rows) == ["five", "four", "one", "six", "three", "two"]


def test_insert_that_fails_takes_the_transaction_with_it(site: Site) -> None:
    database = site.runtime.database
    with pytest.raises(Conflict), database.changing_rows() as rows:
        _SUBSCRIBERS.all(rows, [_subscriber(site, "two"), _subscriber(site, "one"), _subscriber(site, "one")])
    with database.rows() as rows:
        assert _names(rows) == []


def test_insert_fills_in_constant_defaults(site: Site) -> None:
    with site.runtime.database.changing_rows() as rows:
        given = dict(rows.execute(select(_INTEGRATIONS)).mappings().one())
        del given["is_sign_in"]
        _PRACTICE.one(rows, {**given, "id": "int_2", "identifier": "second", "client_id": "2.2"})
        assert rows.scalar(select(_INTEGRATIONS.c.is_sign_in).where(_INTEGRATIONS.c.id == "int_2")) is False


def test_insert_refuses_names_that_are_no_columns(site: Site) -> None:
    with site.runtime.database.changing_rows() as rows, pytest.raises(TypeError, match="names than the columns"):
        _SUBSCRIBERS.one(rows, _subscriber(site, "one", nickname="A"))


_ENTRIES = CompiledInsert(table_of(AuditEntry))


def _entries(site: Site, *ids: str) -> NewRows:
    environment_id = site.runtime.environments.first().id
    shared = {"environment_id": environment_id, "at": _AT, "actor": "shell", "action": "x", "subject": "one"}
    return NewRows(_ENTRIES, [{**shared, "id": one, "detail": f"of {one}"} for one in ids])


def _subscribers(site: Site, *ids: str) -> NewRows:
    return NewRows(_SUBSCRIBERS, [_subscriber(site, one, first_name=f"Name of {one}") for one in ids])


@pytest.mark.parametrize("is_heard", [False, True], ids=["compiled", "by SQLAlchemy"])
def test_rows_of_several_tables_are_inserted_together(site: Site, is_heard: bool) -> None:
    database, heard = site.runtime.database, list[str]()
    if is_heard:
        event.listen(database.engine, "before_cursor_execute", lambda *args: heard.append(args[2]))
    for ids in (("one", "two"), ("three",), ()):
        with database.changing_one() as rows:
            insert_together(rows, _subscribers(site, *ids), NewRows(_SUBSCRIBERS, ()), _entries(site, *ids))
    with database.transaction() as session:
        insert_together(session, _entries(site, "four"), _subscribers(site, "four"))
    if is_heard and DATABASE == "postgresql":
        assert [statement.count("INSERT INTO") for statement in heard if "INSERT INTO" in statement] == [2, 2, 2]
    insert = NewRows(_SUBSCRIBERS, [{"nickname": "A"}])
    with database.changing_rows() as rows, pytest.raises(TypeError, match="names than the columns"):
        insert_together(rows, insert)
    expected = {one: f"Name of {one}" for one in ("one", "two", "three", "four")}
    with database.rows() as rows:
        found = rows.execute(select(Subscriber.subscriber_id, Subscriber.first_name, Subscriber.created_at))
        assert {one: (name, at) for one, name, at in found} == {one: (name, _AT) for one, name in expected.items()}
        details = select(AuditEntry.id, AuditEntry.detail).where(AuditEntry.id.in_(expected))
        assert sorted(map(tuple, rows.execute(details))) == sorted((one, f"of {one}") for one in expected)


@pytest.mark.parametrize("is_first", [True, False])
def test_one_row_that_fails_keeps_all_of_them_out(site: Site, is_first: bool) -> None:
    """On PostgreSQL, `changing_one` opens no transaction: the statement itself is all or nothing."""
    database = site.runtime.database
    tables = (_entries(site, "one", "one"), _subscribers(site, "one"))
    with pytest.raises(Conflict), database.changing_one() as rows:
        insert_together(rows, *(tables if is_first else reversed(tables)))
    with database.rows() as rows:
        assert _names(rows) == []
        assert rows.scalar(select(AuditEntry.id).where(AuditEntry.id == "one")) is None


def test_violated_foreign_key_is_not_reported_as_a_duplicate(site: Site) -> None:
    """An operator may delete an integration between a request's check and its INSERT."""
    database = site.runtime.database
    missing = NewRows(_SUBSCRIBERS, [{**_subscriber(site, "one"), "environment_id": "env_removed"}])
    with pytest.raises(Conflict, match="no longer exists"), database.changing_one() as rows:
        insert_together(rows, missing)
    twice = NewRows(_SUBSCRIBERS, [_subscriber(site, "one"), _subscriber(site, "one")])
    with pytest.raises(Conflict, match="already exists"), database.changing_one() as rows:
        insert_together(rows, twice)
    with pytest.raises(Conflict, match="still in use"), database.transaction() as session:
        session.execute(delete(Environment))
