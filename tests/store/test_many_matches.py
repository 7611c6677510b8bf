"""Searches that match many of the connections that a test adds.

PostgreSQL plans for rows that were added, also after a rollback, so these tests have a database of their own.
"""

from sqlalchemy import insert

from onboarding.store import connection_filters, connection_lists, connections
from onboarding.store.connection_filters import ConnectionFilter
from onboarding.store.connection_words import ConnectionWord
from onboarding.store.database import Database, Session, table_of
from onboarding.store.pagination import StorePageRequest
from tests.store.plan_rows import ROWS, row, words
from tests.store.query_plans import plan, watched


def add(session: Session, name: str, numbers: range) -> None:
    """Add connections to workspaces of this name. It is the last one in the order of names."""
    rows = [{**row(number), "workspace_name": name, "sort_name": name.lower()} for number in numbers]
    session.execute(insert(connections.TABLE), rows)
    session.execute(insert(table_of(ConnectionWord)), [word for one in rows for word in words(one)])


def test_page_whose_matches_are_far_away_begins_with_the_filter(database: Database) -> None:
    with database.transaction() as session:
        add(session, "Zed", range(ROWS, ROWS + 4500))
    with watched(database) as asked, database.reading() as session:
        prepared = connection_filters.prepare(session, "env_1", ConnectionFilter(text="zed"))
        request = StorePageRequest(10, order="workspace", descending=False)
        found = connection_lists.page(session, prepared, request, 4500).rows
    assert [one.id for one in found] == [f"con_{ROWS + number:06d}" for number in range(10)]
    *_in_order, (statement, values) = asked
    assert "ix_connection_words_word" in plan(database, statement, values)


def test_connection_with_two_words_of_one_beginning_counts_once(database: Database) -> None:
    with database.transaction() as session:
        add(session, "Yak Yakov", range(2 * ROWS, 2 * ROWS + 1200))
    with database.reading() as session:
        prepared = connection_filters.prepare(session, "env_1", ConnectionFilter(text="yak"))
        assert connection_filters.count(session, prepared, 10_000) == 1200
