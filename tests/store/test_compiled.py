"""Statements that are handed to the driver as they are: they do what SQLAlchemy's own way does, faults included."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, bindparam, event, insert, select
from sqlalchemy.exc import IntegrityError

from onboarding.sealed import Sealed
from onboarding.store import installations, integrations
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Database, table_of
from tests.browser_client import Site

_INTEGRATIONS = table_of(integrations.Integration)
_INSTALLATIONS = table_of(installations.Installation)
_AT = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


def test_both_ways_read_the_same_row(site: Site) -> None:
    database = site.runtime.database
    statement = CompiledStatement(select(_INTEGRATIONS).where(_INTEGRATIONS.c.identifier == bindparam("identifier_")))
    values = {"identifier_": "slack-practice"}
    with database.rows() as rows, database.reading() as session:
        direct, usual = statement.first(rows, values), statement.first(session, values)
        assert direct._asdict() == usual._asdict()
        assert statement.all(rows, values) == [tuple(usual)]
        assert statement.first(rows, {"identifier_": "nobody's"}) is None
    assert isinstance(direct.client_secret, Sealed)
    assert direct.created_at.tzinfo is UTC
    assert direct.is_practice is True or direct.is_practice is False


def test_what_somebody_listens_for_is_told_to_them(site: Site) -> None:
    engine, heard = site.runtime.database.engine, list[str]()

    def hear(_connection: Connection, _cursor: object, text: str, *_more: object) -> None:
        heard.append(text)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        site.runtime.integrations.all_of(site.runtime.environments.first().id)
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    assert any("FROM integrations" in text for text in heard)


def test_column_with_a_default_has_to_be_given(site: Site) -> None:
    """SQLAlchemy would fill it in as it executes; here nobody does, so nothing is stored without it."""
    given = {column.key: None for column in _INSTALLATIONS.columns if column.key != "origin"}
    with site.runtime.database.rows() as rows, pytest.raises(KeyError, match="origin"):
        CompiledStatement(insert(_INSTALLATIONS)).run(rows, given)


def test_value_that_is_taken_is_told_as_ever(site: Site) -> None:
    with site.runtime.database.reading() as session:
        (row,) = session.execute(select(_INTEGRATIONS).limit(1)).all()
    with site.runtime.database.engine.connect() as rows, pytest.raises(IntegrityError):
        CompiledStatement(insert(_INTEGRATIONS)).run(rows, row._asdict())


def test_time_without_a_zone_is_refused(site: Site) -> None:
    naive = _AT.replace(tzinfo=None)
    statement = CompiledStatement(
        select(_INTEGRATIONS).where(
            _INTEGRATIONS.c.created_at == bindparam("at", type_=_INTEGRATIONS.c.created_at.type)
        )
    )
    with site.runtime.database.rows() as rows, pytest.raises(ValueError, match="zone"):
        statement.first(rows, {"at": naive})


def test_text_that_depends_on_values_is_not_prepared(site: Site) -> None:
    database: Database = site.runtime.database
    statement = CompiledStatement(select(_INTEGRATIONS).where(_INTEGRATIONS.c.id.in_(bindparam("ids", expanding=True))))
    with database.rows() as rows, pytest.raises(TypeError, match="cannot be prepared"):
        statement.all(rows, {"ids": ["one", "two"]})
