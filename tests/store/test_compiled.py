"""Statements that are compiled once do and return what SQLAlchemy's own way returns, errors included."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from sqlalchemy import BindParameter, Connection, bindparam, event, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from onboarding.errors import Conflict
from onboarding.sealed import Sealed
from onboarding.store import integrations
from onboarding.store.audit import AuditEntry
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import table_of
from onboarding.store.inserts import CompiledInsert, NewRows, insert_together
from onboarding.store.rows import fetch_all, fetch_first
from onboarding.store.subscribers import Subscriber
from tests.browser_client import Site

_TABLE = table_of(integrations.Integration)
_AT = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


class _Integration(NamedTuple):
    id: str
    name: str
    client_secret: Sealed
    signing_secret: Sealed | None
    is_practice: bool
    created_at: datetime


_QUERY = select(*(_TABLE.c[name] for name in _Integration._fields))
_NAMED = CompiledStatement(_QUERY.where(_TABLE.c.identifier == bindparam("identifier_")), _Integration)


def test_both_ways_read_the_same_row(site: Site) -> None:
    database, values = site.runtime.database, {"identifier_": "slack-practice"}
    with database.rows() as rows, database.reading() as session:
        compiled, own = _NAMED.first(rows, values), _NAMED.first(session, values)
        assert compiled is not None
        assert compiled == own
        assert _NAMED.all(rows, values) == [compiled]
        assert _NAMED.first(rows, {"identifier_": "unknown"}) is None
        assert _NAMED.first(session, {"identifier_": "unknown"}) is None
    assert isinstance(compiled.client_secret, Sealed)
    assert compiled.created_at.tzinfo is UTC
    assert compiled.is_practice is True


def test_listeners_hear_of_every_query(site: Site) -> None:
    engine, heard = site.runtime.database.engine, list[str]()

    def hear(_connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        with site.runtime.database.rows() as rows:
            _NAMED.first(rows, {"identifier_": "slack-practice"})
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    assert any("FROM integrations" in statement for statement in heard)


def test_errors_are_those_of_sqlalchemy(site: Site) -> None:
    statement = CompiledStatement(_QUERY.where(text("no_such_column = 1")), _Integration)
    with site.runtime.database.engine.connect() as rows, pytest.raises((OperationalError, ProgrammingError)) as error:
        statement.all(rows, {})
    assert "no_such_column" in str(error.value)


def test_value_that_is_missing_is_refused(site: Site) -> None:
    with site.runtime.database.rows() as rows, pytest.raises(KeyError, match="identifier_"):
        _NAMED.first(rows, {})


def test_time_without_a_zone_is_refused(site: Site) -> None:
    created = bindparam("at", type_=_TABLE.c.created_at.type)
    statement = CompiledStatement(_QUERY.where(_TABLE.c.created_at == created), _Integration)
    with site.runtime.database.rows() as rows, pytest.raises(ValueError, match="zone"):
        statement.first(rows, {"at": _AT.replace(tzinfo=None)})


def test_query_whose_text_depends_on_its_values_is_run_by_sqlalchemy(site: Site) -> None:
    identifiers: BindParameter[list[str]] = bindparam("identifiers", expanding=True)
    statement = CompiledStatement(_QUERY.where(_TABLE.c.identifier.in_(identifiers)), _Integration)
    with site.runtime.database.rows() as rows:
        for listed in (["slack-practice"], ["slack-practice", "unknown"], ["unknown"], []):
            assert len(statement.all(rows, {"identifiers": listed})) == ("slack-practice" in listed)


def test_fields_must_be_the_columns(site: Site) -> None:
    swapped = select(_TABLE.c.name, _TABLE.c.id, *(_TABLE.c[name] for name in _Integration._fields[2:]))
    with pytest.raises(TypeError, match="_Integration has other fields"):
        CompiledStatement(swapped, _Integration)
    with site.runtime.database.rows() as rows:
        for fetch in (fetch_all, fetch_first):
            with pytest.raises(TypeError, match="_Integration has other fields"):
                fetch(rows, swapped, _Integration)


_SUBSCRIBERS = CompiledInsert(table_of(Subscriber))
_PRACTICE = CompiledInsert(_TABLE)


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
        given = dict(rows.execute(select(_TABLE)).mappings().one())
        del given["is_sign_in"]
        _PRACTICE.one(rows, {**given, "id": "int_2", "identifier": "second", "client_id": "2.2"})
        assert rows.scalar(select(_TABLE.c.is_sign_in).where(_TABLE.c.id == "int_2")) is False


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
    database = site.runtime.database
    if is_heard:
        event.listen(database.engine, "before_cursor_execute", lambda *_heard: None)
    for ids in (("one", "two"), ("three",), ()):
        with database.changing_one() as rows:
            insert_together(rows, _subscribers(site, *ids), NewRows(_SUBSCRIBERS, ()), _entries(site, *ids))
    with database.transaction() as session:
        insert_together(session, _entries(site, "four"), _subscribers(site, "four"))
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
    """PostgreSQL takes them without a transaction around them."""
    database = site.runtime.database
    tables = (_entries(site, "one", "one"), _subscribers(site, "one"))
    with pytest.raises(Conflict), database.changing_one() as rows:
        insert_together(rows, *(tables if is_first else reversed(tables)))
    with database.rows() as rows:
        assert _names(rows) == []
        assert rows.scalar(select(AuditEntry.id).where(AuditEntry.id == "one")) is None
