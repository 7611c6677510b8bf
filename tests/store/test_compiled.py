"""Statements that are compiled once do and return what SQLAlchemy's own way returns, errors included."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from sqlalchemy import BindParameter, Connection, bindparam, event, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from onboarding.sealed import Sealed
from onboarding.store import integrations
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import table_of
from onboarding.store.rows import fetch_all, fetch_first
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
