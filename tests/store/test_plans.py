"""Every documented filter and order of connections reads an index, on both databases."""

import re
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest

from onboarding.identity import context_digest
from onboarding.store import (
    connection_documents,
    connection_filters,
    connection_lists,
)
from onboarding.store.connection_filters import ConnectionFilter
from onboarding.store.cursors import Key, Position
from onboarding.store.database import Database, Session
from onboarding.store.pagination import StorePageRequest
from tests.store.plan_rows import NOON, ROWS
from tests.store.query_plans import plan as _plan
from tests.store.query_plans import plan_when_repeated
from tests.store.query_plans import watched as _watched

FILTERS = {
    "none": ConnectionFilter(),
    "integrationIdentifier": ConnectionFilter(integration_id="int_1"),
    "connectionMode": ConnectionFilter(mode="shared"),
    "subscriberId": ConnectionFilter(subscriber_id="s7", with_shared=True),
    "subscriberId, own only": ConnectionFilter(subscriber_id="s7", mode="subscriber"),
    "contextKeys": ConnectionFilter(context_digest=context_digest(["tenant:t3"])),
    "contextKeys, none": ConnectionFilter(context_digest=context_digest([])),
    "workspaceId": ConnectionFilter(workspace_id="T9"),
    "status": ConnectionFilter(status="needs_reconnect"),
    "search, rare": ConnectionFilter(text="acme 77"),
    "search, two common words": ConnectionFilter(text="acme c"),
    "search, common": ConnectionFilter(text="acme"),
    "context, rare": ConnectionFilter(context_key="tenant:t3"),
    "context, common": ConnectionFilter(context_key="region:eu"),
}


@pytest.mark.parametrize("order", ["created_at", "updated_at"])
@pytest.mark.parametrize("name", FILTERS)
def test_a_page_uses_an_index(name: str, order: str, database: Database) -> None:
    position = Position((NOON + timedelta(seconds=ROWS // 2),), "con_x")
    requests = [
        StorePageRequest(10, order=order),
        StorePageRequest(10, order=order, descending=False),
        StorePageRequest(10, after=position, order=order),
    ]
    with database.reading() as session:
        prepared = _prepared(session, FILTERS[name])
    for request, matches in product(requests, (1, ROWS)):
        with _watched(database) as asked, database.reading() as session:
            connection_lists.page(session, prepared, request, matches)
        for statement, values in asked:
            plan = _plan(database, statement, values)
            # PostgreSQL sorts only the few rows of a page that is merged from two index scans or ids, never a table.
            assert not re.search(r"SCAN channel_connections$|Seq Scan on channel_connections", plan, re.MULTILINE), plan
            if not name.startswith(("search", "context,")) and not FILTERS[name].with_shared:
                assert not re.search(r"TEMP B-TREE FOR ORDER BY|Sort Key", plan), plan


@pytest.mark.parametrize("filters", [{}, {"mode": "subscriber"}, {"status": "healthy"}])
@pytest.mark.parametrize(
    ("order", "keys"),
    [
        ("workspace", ("acme 5",)),
        ("status", ("healthy", NOON + timedelta(hours=1))),
        ("checked_at", (NOON + timedelta(seconds=ROWS - 1),)),
    ],
)
def test_order_of_many_rows_uses_an_index(
    order: str, keys: tuple[Key, ...], filters: dict[str, Any], database: Database
) -> None:
    for request in (StorePageRequest(10, order=order), StorePageRequest(10, Position(keys, "con_x"), order=order)):
        with _watched(database) as asked, database.reading() as session:
            prepared = _prepared(session, ConnectionFilter(**filters))
            assert len(connection_lists.page(session, prepared, request, ROWS).rows) == 10
        for statement, values in asked:
            plan = _plan(database, statement, values)
            slow = (
                "Seq Scan on channel"
                if _finds_last_row_to_read(statement)
                else "TEMP B-TREE FOR ORDER BY|Sort Key|Seq Scan"
            )
            assert not re.search(slow, plan), plan


#: The most selective first.
VALUES: dict[str, Any] = {
    "subscriber_id": "s7",
    "workspace_id": "T9",
    "context_digest": context_digest(["tenant:t3"]),
    "status": "needs_reconnect",
    "mode": "subscriber",
    "integration_id": "int_1",
}


@pytest.mark.parametrize(("narrow", "wide"), list(combinations(VALUES, 2)))
def test_less_selective_of_two_filters_uses_no_index(narrow: str, wide: str, database: Database) -> None:
    both = ConnectionFilter(**{narrow: VALUES[narrow], wide: VALUES[wide]})
    with database.reading() as session:
        prepared = _prepared(session, both)
    with _watched(database) as asked, database.reading() as session:
        connection_lists.page(session, prepared, StorePageRequest(10), ROWS)
        connection_filters.count(session, prepared, 1000)
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert "ix_channel_connections_" in plan
        assert f"ix_channel_connections_{wide}" not in plan, plan


#: A common filter, and the index that the query begins with.
COMMON = {
    "context": (ConnectionFilter(context_key="region:eu"), "ix_channel_connections_all_created_at"),
    "word": (ConnectionFilter(text="acme"), "ix_channel_connections_all_created_at"),
    "two words": (ConnectionFilter(text="acme c"), "ix_channel_connections_all_created_at"),
    "word and mode": (ConnectionFilter(text="acme", mode="subscriber"), "ix_channel_connections_mode_created_at"),
}


@pytest.mark.parametrize("name", COMMON)
def test_page_of_common_matches_is_read_in_the_order_of_an_index(name: str, database: Database) -> None:
    wanted, index = COMMON[name]
    with database.reading() as session:
        prepared = _prepared(session, wanted)
    for request in (StorePageRequest(10), StorePageRequest(10, Position((NOON + timedelta(hours=1),), "con_x"))):
        with _watched(database) as asked, database.reading() as session:
            assert len(connection_lists.page(session, prepared, request, ROWS).rows) == 10
        for statement, values in asked:
            if _finds_last_row_to_read(statement):
                continue
            plan = plan_when_repeated(database, statement, values)
            assert index in plan, plan
            # A join would read every match, however many there are.
            assert not re.search(r"TEMP B-TREE FOR ORDER BY|Sort Key|Semi Join|HashAggregate", plan), plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (ConnectionFilter(context_key="region:eu", status="needs_reconnect"), "ix_channel_connections_status"),
        (ConnectionFilter(context_key="tenant:t3", mode="subscriber"), "ix_connection_contexts_key"),
        (ConnectionFilter(context_key="tenant:t3", text="acme"), "ix_connection_contexts_key"),
        (ConnectionFilter(context_key="region:eu", text="c77"), "ix_connection_words_word"),
        (ConnectionFilter(text="acme", status="needs_reconnect"), "ix_channel_connections_status"),
        (ConnectionFilter(text="c77", status="healthy", mode="subscriber"), "ix_connection_words_word"),
    ],
)
def test_query_begins_with_the_rarest_filter(wanted: ConnectionFilter, index: str, database: Database) -> None:
    with database.reading() as session:
        prepared = _prepared(session, wanted)
    with _watched(database) as asked, database.reading() as session:
        connection_filters.count(session, prepared, 1000)
    ((statement, values),) = asked
    plan = plan_when_repeated(database, statement, values)
    assert set(re.findall(r"ix_\w+?(?=_created_at|_updated_at|\b)", plan)) == {index}, plan
    assert not re.search(r"Scan using pk_channel_connections .*\n +Filter", plan), f"It reads every connection:\n{plan}"


def _finds_last_row_to_read(statement: str) -> bool:
    """Return whether it finds where a list read in its order ends. PostgreSQL may sort the few rows after it."""
    return "AS end_0" in statement


@pytest.mark.parametrize("name", FILTERS)
def test_count_uses_an_index(name: str, database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        connection_filters.count(session, _prepared(session, FILTERS[name]), 1000)
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert not re.search(r"SCAN channel_connections$|Seq Scan on channel_connections", plan, re.MULTILINE), plan
        assert name != "context, rare" or "(environment_id=?)" not in plan, plan


def test_search_for_one_common_word_is_counted_in_the_index_of_words(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert connection_filters.count(session, _prepared(session, FILTERS["search, common"]), 50_000) == ROWS
    _search, (statement, values) = asked
    plan = _plan(database, statement, values)
    assert "ix_connection_words_word" in plan, plan
    assert "channel_connections" not in plan


def test_search_begins_with_a_word_that_a_thousand_connections_have(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        prepared = _prepared(session, ConnectionFilter(text="c1"))
        assert len(connection_lists.page(session, prepared, StorePageRequest(10), ROWS).rows) == 10
    assert "ix_connection_words_word" in _plan(database, *asked[-1])


def test_context_key_is_looked_up_in_its_index_alone(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        _prepared(session, FILTERS["context, rare"])
    ((statement, values),) = asked
    plan = _plan(database, statement, values)
    assert "ix_connection_contexts_key" in plan, plan
    assert "channel_connections" not in plan


def test_search_without_a_match_reads_no_further(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        prepared = _prepared(session, ConnectionFilter(text="nobody", status="unknown"))
        assert not connection_lists.page(session, prepared, StorePageRequest(10), 0).rows
        assert connection_filters.count(session, prepared, 1000) == 0
    assert len(asked) == 1


def test_retrieve_uses_the_unique_key(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert connection_documents.documented(session, "env_1", "c5") is not None
    assert "identifier" in _plan(database, *asked[0])


def _prepared(session: Session, wanted: ConnectionFilter) -> connection_filters.PreparedFilter:
    return connection_filters.prepare(session, "env_1", wanted)
