"""Every documented filter and order walks an index, on both databases."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest
from sqlalchemy import insert, text

from onboarding import files
from onboarding.identity import context_digest
from onboarding.outcomes import Outcome
from onboarding.store import (
    attempt_lists,
    attempts,
    audit,
    connection_documents,
    connection_filters,
    connection_lists,
    connections,
    erasure,
    link_lists,
    schema,
    webhook_deliveries,
    webhook_tries,
)
from onboarding.store.attempt_lists import AttemptFilter
from onboarding.store.attempts import Stage
from onboarding.store.audit import AuditFilter
from onboarding.store.connection_filters import ConnectionFilter
from onboarding.store.connection_words import ConnectionWord
from onboarding.store.cursors import Key, Position
from onboarding.store.database import Database, Session, table_of
from onboarding.store.link_terms import LinkKind
from onboarding.store.pagination import StorePageRequest
from onboarding.store.webhook_deliveries import DeliveryFilter
from tests import postgres
from tests.database_rounds import DATABASE
from tests.store.plan_rows import NOON, ROWS, fill, row, words
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


@pytest.fixture(scope="module")
def filled_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = postgres.new_database() if DATABASE == "postgresql" else f"sqlite:///{tmp_path_factory.mktemp('p')}/p.sqlite3"
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    schema.upgrade(database, files.migrations())
    with database.transaction() as session:
        fill(session)
    if DATABASE == "postgresql":
        with database.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    database.close()
    yield url
    if DATABASE == "postgresql":
        postgres.drop(url)


@pytest.fixture
def database(filled_url: str) -> Iterator[Database]:
    opened = Database(filled_url.replace("postgresql://", "postgresql+psycopg://"))
    yield opened
    opened.close()


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
        scan = _scan(session, FILTERS[name])
    for request, matches in product(requests, (1, ROWS)):
        with _watched(database) as asked, database.reading() as session:
            connection_lists.page(session, scan, request, matches)
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
            scan = _scan(session, ConnectionFilter(**filters))
            assert len(connection_lists.page(session, scan, request, ROWS).rows) == 10
        for statement, values in asked:
            plan = _plan(database, statement, values)
            slow = "Seq Scan on channel" if _is_end_of_walk(statement) else "TEMP B-TREE FOR ORDER BY|Sort Key|Seq Scan"
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
        scan = _scan(session, both)
    with _watched(database) as asked, database.reading() as session:
        connection_lists.page(session, scan, StorePageRequest(10), ROWS)
        connection_filters.count(session, scan, 1000)
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
        scan = _scan(session, wanted)
    for request in (StorePageRequest(10), StorePageRequest(10, Position((NOON + timedelta(hours=1),), "con_x"))):
        with _watched(database) as asked, database.reading() as session:
            assert len(connection_lists.page(session, scan, request, ROWS).rows) == 10
        for statement, values in asked:
            if _is_end_of_walk(statement):
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
        scan = _scan(session, wanted)
    with _watched(database) as asked, database.reading() as session:
        connection_filters.count(session, scan, 1000)
    ((statement, values),) = asked
    plan = plan_when_repeated(database, statement, values)
    assert set(re.findall(r"ix_\w+?(?=_created_at|_updated_at|\b)", plan)) == {index}, plan


def _is_end_of_walk(statement: str) -> bool:
    """Return whether the statement finds the end of a walk. PostgreSQL may sort the few rows after it."""
    return "AS end_0" in statement


class _Undo(Exception):
    pass


def test_page_whose_matches_are_far_away_begins_with_the_filter(database: Database) -> None:
    with suppress(_Undo), database.transaction() as session:
        rows = [{**row(ROWS + number), "workspace_name": "Zed", "sort_name": "zed"} for number in range(4500)]
        session.execute(insert(connections.TABLE), rows)
        session.execute(insert(table_of(ConnectionWord)), [word for one in rows for word in words(one)])
        scan = _scan(session, ConnectionFilter(text="zed"))
        with _watched(database) as asked:
            request = StorePageRequest(10, order="workspace", descending=False)
            found = connection_lists.page(session, scan, request, 4500).rows
        raise _Undo
    assert [one.id for one in found] == [f"con_{ROWS + number:06d}" for number in range(10)]
    *_walk, (statement, values) = asked
    assert "ix_connection_words_word" in _plan(database, statement, values)


@pytest.mark.parametrize("name", FILTERS)
def test_count_uses_an_index(name: str, database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        connection_filters.count(session, _scan(session, FILTERS[name]), 1000)
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert not re.search(r"SCAN channel_connections$|Seq Scan on channel_connections", plan, re.MULTILINE), plan
        assert name != "context, rare" or "(environment_id=?)" not in plan, plan


def test_search_for_one_common_word_is_counted_in_the_index_of_words(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert connection_filters.count(session, _scan(session, FILTERS["search, common"]), 50_000) == ROWS
    _search, (statement, values) = asked
    plan = _plan(database, statement, values)
    assert "ix_connection_words_word" in plan, plan
    assert "channel_connections" not in plan


def test_search_begins_with_a_word_that_a_thousand_connections_have(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        scan = _scan(session, ConnectionFilter(text="c1"))
        assert len(connection_lists.page(session, scan, StorePageRequest(10), ROWS).rows) == 10
    assert "ix_connection_words_word" in _plan(database, *asked[-1])


def test_context_key_is_looked_up_in_its_index_alone(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        _scan(session, FILTERS["context, rare"])
    ((statement, values),) = asked
    plan = _plan(database, statement, values)
    assert "ix_connection_contexts_key" in plan, plan
    assert "channel_connections" not in plan


def test_search_without_a_match_reads_no_further(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        scan = _scan(session, ConnectionFilter(text="nobody", status="unknown"))
        assert not connection_lists.page(session, scan, StorePageRequest(10), 0).rows
        assert connection_filters.count(session, scan, 1000) == 0
    assert len(asked) == 1


def test_connection_with_two_words_of_one_beginning_counts_once(database: Database) -> None:
    with suppress(_Undo), database.transaction() as session:
        rows = [{**row(ROWS + number), "workspace_name": "Zed Zeder"} for number in range(1200)]
        session.execute(insert(connections.TABLE), rows)
        session.execute(insert(table_of(ConnectionWord)), [word for one in rows for word in words(one)])
        assert connection_filters.count(session, _scan(session, ConnectionFilter(text="zed")), 10_000) == 1200
        raise _Undo


def test_retrieve_uses_the_unique_key(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert connection_documents.documented(session, "env_1", "c5") is not None
    assert "identifier" in _plan(database, *asked[0])


def test_reference_is_looked_up_in_an_index(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert attempts.by_id_prefix(session, "att_01v7abcd") is None
        assert attempts.by_id_prefix(session, "att_01v7abcd", "env_1") is None
    for statement, values in asked:
        assert "attempts" in statement
        assert not re.search(r"^SCAN attempts$|Seq Scan", _plan(database, statement, values), re.MULTILINE)


def _scan(session: Session, wanted: ConnectionFilter) -> connection_filters.IndexScan:
    return connection_filters.scan_of(session, "env_1", wanted)


_PURGES: dict[str, Callable[[Session], object]] = {
    "answers": lambda session: erasure.purge_responses(session, NOON, 500),
    "attempts that ended": lambda session: erasure.purge_attempts(session, Stage.FINISHED, NOON, 500),
    "attempts that nobody came back to": lambda session: erasure.purge_attempts(session, Stage.CREATED, NOON, 500),
    "links": lambda session: erasure.purge_links(session, LinkKind.SESSION, NOON, 500),
    "installations, the walk": lambda session: erasure.installation_ids(session, "ins_0", 500),
    "installations, the unused": lambda session: erasure.orphaned_installations(session, ["ins_1", "ins_2"], NOON),
    "installations, the end": lambda session: erasure.erase_orphaned_installations(session, ["ins_1", "ins_2"], NOON),
}


@pytest.mark.parametrize("name", _PURGES)
def test_sweep_scans_no_whole_table(name: str, database: Database) -> None:
    with _watched(database) as asked, database.transaction() as session:
        _PURGES[name](session)
    statements = [(statement, values) for statement, values in asked if not statement.startswith("BEGIN")]
    assert statements
    for statement, values in statements:
        plan = _plan(database, statement, values)
        assert not re.search(r"^SCAN \w+$|Seq Scan|TEMP B-TREE FOR ORDER BY|Sort Key", plan, re.MULTILINE), plan


@pytest.mark.parametrize("wanted", [AttemptFilter(), AttemptFilter(outcomes=(Outcome.CANCELLED,), since=NOON)])
def test_list_of_attempts_is_read_in_the_order_of_an_index(wanted: AttemptFilter, database: Database) -> None:
    position = Position((NOON + timedelta(hours=2),), "att_x")
    with _watched(database) as asked, database.reading() as session:
        for request in (StorePageRequest(25), StorePageRequest(25, position), StorePageRequest(25, before=position)):
            assert attempt_lists.page(session, "env_1", wanted, request).rows
        attempt_lists.count(session, "env_1", wanted, 1000)
        attempt_lists.funnel(session, "env_1", wanted, 1000)
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert not re.search(r"SCAN attempts$|Seq Scan on attempts", plan, re.MULTILINE), plan
        if "JOIN" not in statement:
            assert "ix_attempts_environment_id_created_at" in plan, plan
            # PostgreSQL may sort the few rows that a filter leaves.
            assert wanted.since or not re.search(r"TEMP B-TREE FOR ORDER BY|Sort Key", plan), plan


def test_attempts_of_a_connection_are_found_in_indexes(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert len(attempt_lists.of_connection(session, "env_1", "c1", "0" * 64, 10)) == 2
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert not re.search(r"SCAN (attempts|links)$|Seq Scan on (attempts|links)", plan, re.MULTILINE), plan
    assert "ix_attempts_connection_identifier" in _plan(database, *asked[0])


def test_deliveries_of_an_endpoint_and_a_connection_are_found_in_indexes(database: Database) -> None:
    about = DeliveryFilter(subject="c1")
    with _watched(database) as asked, database.reading() as session:
        webhook_deliveries.newest_of(session, "env_1", "whe_1")
        webhook_deliveries.page(session, "env_1", StorePageRequest(10), DeliveryFilter("whe_1"))
        webhook_deliveries.page(session, "env_1", StorePageRequest(10), about)
        webhook_deliveries.count(session, "env_1", about, 1000)
        webhook_tries.all_of(session, "dlv_1")
    plans = [_plan(database, statement, values) for statement, values in asked]
    assert len(plans) == 5
    for plan in plans:
        assert not re.search(r"SCAN webhook_\w+$|Seq Scan|TEMP B-TREE FOR ORDER BY", plan, re.MULTILINE), plan
    assert all("ix_webhook_deliveries_subject" in plan for plan in plans[2:4]), plans


def test_list_of_links_is_read_in_the_order_of_an_index(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        for request in (StorePageRequest(25), StorePageRequest(25, Position((NOON + timedelta(days=9),), "lnk_x"))):
            link_lists.page(session, "env_1", request)
    for statement, values in asked:
        assert "ix_links_listed" in _plan(database, statement, values)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (AuditFilter(), 25),
        (AuditFilter(actors=("operator:ada@northwind.test", "key:key_7")), 25),
        (AuditFilter(action="connection.updated"), 25),
        (AuditFilter(subject="Acme 7"), 1),
        (AuditFilter(subject="c7", actors=("key:key_7",)), 1),
    ],
)
def test_audit_log_is_read_in_the_order_of_an_index(wanted: AuditFilter, count: int, database: Database) -> None:
    position = Position((NOON + timedelta(days=9),), "aud_x")
    with _watched(database) as asked, database.reading() as session:
        for request in (StorePageRequest(25), StorePageRequest(25, position)):
            assert len(audit.page(session, "env_1", wanted, request).rows) == count
    for statement, values in asked:
        plan = _plan(database, statement, values)
        assert not re.search(r"SCAN audit_entries$|Seq Scan on audit_entries", plan, re.MULTILINE), plan
        expected = _audit_index(wanted)
        # PostgreSQL reads the few entries of the whole deployment from any index.
        assert expected in plan, plan
        assert all(expected in index for index in re.findall(r"USING INDEX (\w+)", plan)), plan


def _audit_index(wanted: AuditFilter) -> str:
    """Return the beginning of the names of the indexes that the filter reads."""
    of_others = "actor" if wanted.actors else "action" if wanted.action else "environment_id_at"
    return "subject" if wanted.subject else of_others
