"""Attempts, webhook deliveries, links and audit entries are read in the order of an index, on both databases."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from onboarding.outcomes import Outcome
from onboarding.store import attempt_lists, attempts, audit, erasure, link_lists, webhook_deliveries, webhook_tries
from onboarding.store.attempt_lists import AttemptFilter
from onboarding.store.attempts import Stage
from onboarding.store.audit import AuditFilter
from onboarding.store.cursors import Position
from onboarding.store.database import Database, Session
from onboarding.store.link_terms import LinkKind
from onboarding.store.pagination import StorePageRequest
from onboarding.store.webhook_deliveries import DeliveryFilter
from tests.store.plan_rows import NOON
from tests.store.query_plans import plan as _plan
from tests.store.query_plans import watched as _watched


def test_reference_is_looked_up_in_an_index(database: Database) -> None:
    with _watched(database) as asked, database.reading() as session:
        assert attempts.by_id_prefix(session, "att_01v7abcd") is None
        assert attempts.by_id_prefix(session, "att_01v7abcd", "env_1") is None
    for statement, values in asked:
        assert "attempts" in statement
        assert not re.search(r"^SCAN attempts$|Seq Scan", _plan(database, statement, values), re.MULTILINE)


_PURGES: dict[str, Callable[[Session], object]] = {
    "answers": lambda session: erasure.purge_responses(session, NOON, 500),
    "attempts that ended": lambda session: erasure.purge_attempts(session, Stage.FINISHED, NOON, 500),
    "attempts that nobody came back to": lambda session: erasure.purge_attempts(session, Stage.CREATED, NOON, 500),
    "links": lambda session: erasure.purge_links(session, LinkKind.SESSION, NOON, 500),
    "installations, all": lambda session: erasure.installation_ids(session, "ins_0", 500),
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
