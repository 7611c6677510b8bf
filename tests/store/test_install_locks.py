"""Installs that complete at the same moment on PostgreSQL wait for the rows that they share, and for no others."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text

from onboarding.callers import Actor, ActorKind
from tests.browser_client import BrowserClient, Page, Site
from tests.pages.test_callback import callback_of, consent_of
from tests.pages.test_reconnect import details
from tests.waiting import until

pytestmark = pytest.mark.postgresql


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@contextmanager
def newest_locked(site: Site, table: str) -> Iterator[None]:
    """Lock the newest row of a table from a connection of its own."""
    with psycopg.connect(site.settings.database_url.get_secret_value()) as connection:
        query = f"SELECT id FROM {table} WHERE created_at = (SELECT max(created_at) FROM {table}) FOR UPDATE"  # noqa: S608  # a name of ours
        assert connection.execute(query).fetchall()
        yield
        connection.rollback()


def lock_waits(site: Site) -> int:
    """Return how many connections of this database wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with site.runtime.database.reading() as session:
        return int(session.execute(text(query)).scalar_one())


@contextmanager
def install_before_its_commit(
    site: Site, threads: ThreadPoolExecutor, browser: BrowserClient, consent: Page
) -> Iterator["Future[Page]"]:
    """Hold an install in the last statement of its last transaction: another connection has locked the attempt."""
    site.slack.answers_slowly("oauth.v2.access", 60)
    install = threads.submit(browser.allows, consent)
    assert until(lambda: site.slack.faults.hanging == 1)
    with newest_locked(site, "attempts"):
        site.slack.faults.clear()
        assert until(lambda: lock_waits(site) == 1)
        yield install
        assert not install.done()


def test_install_that_waits_for_its_link_keeps_no_other_customer_waiting(
    site: Site, visitor: BrowserClient, threads: ThreadPoolExecutor
) -> None:
    others = [(site.link(subscriber_id="bea"), "T0ACMETEST"), (site.link(subscriber_id="cy"), "T0ACMEHQ01")]
    callback = callback_of(visitor, consent_of(visitor, site.link(subscriber_id="ada")))
    with BrowserClient(site) as other:
        with newest_locked(site, "links"):
            install = threads.submit(visitor.opens, callback)
            assert until(lambda: lock_waits(site) == 1)
            for link, workspace in others:
                assert threads.submit(other.connects, link, workspace).result(20).outcome == "connected"
            assert not install.done()
        assert install.result(20).outcome == "connected"
    assert len(details(site)) == 3


def test_install_before_its_commit_keeps_no_other_customer_waiting(
    site: Site, visitor: BrowserClient, threads: ThreadPoolExecutor
) -> None:
    link, consent = site.link(subscriber_id="bea"), consent_of(visitor, site.link(subscriber_id="ada"))
    with BrowserClient(site) as other:
        with install_before_its_commit(site, threads, visitor, consent) as install:
            assert threads.submit(other.connects, link, "T0ACMETEST").result(20).outcome == "connected"
        assert install.result(20).outcome == "connected"
    assert len(details(site)) == 2


def test_install_that_began_first_takes_the_workspace_that_one_customer_may_have(
    site: Site, visitor: BrowserClient, threads: ThreadPoolExecutor
) -> None:
    site.add_practice_app("strict", "Strict", "Development", "refuse")
    link, consent = (
        site.link("strict", subscriber_id="bea"),
        consent_of(visitor, site.link("strict", subscriber_id="ada")),
    )
    with BrowserClient(site) as other:
        with install_before_its_commit(site, threads, visitor, consent) as install:
            second = threads.submit(other.connects, link)
            assert until(lambda: lock_waits(site) == 2)
        assert install.result(20).outcome == "connected"
        assert second.result(20).outcome == "workspace_taken"
    assert [one.connection.subscriber_id for one in details(site)] == ["ada"]
    assert len(site.slack.installations()) == 1


def test_refresh_that_ends_after_a_new_install_replaces_nothing(
    site: Site, visitor: BrowserClient, threads: ThreadPoolExecutor
) -> None:
    """Slack answers the refresh of the old token while an install of the same workspace is about to store a new one."""
    visitor.connects(site.link(), scenario="rotation")
    environment, (old,) = site.runtime.environments.first().id, details(site)
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    site.slack.answers_slowly("oauth.v2.access", 60)
    check = threads.submit(site.runtime.connections.verify, environment, old.connection.identifier)
    assert until(lambda: site.slack.faults.hanging == 1)
    with newest_locked(site, "links"):
        install = threads.submit(visitor.opens, callback)
        assert until(lambda: lock_waits(site) == 1)
        site.slack.faults.clear()
        assert until(lambda: lock_waits(site) == 2)
    assert install.result(20).outcome == "reconnected"
    check.result(20)
    with site.runtime.database.reading() as session:
        refreshed_at = session.execute(text("SELECT refreshed_at FROM installations")).scalar_one()
    assert refreshed_at is None, "the refreshed token replaced the new one"
    (new,) = details(site)
    assert (new.connection.status, new.token_last_four == old.token_last_four) == ("healthy", False)


def test_disconnect_keeps_no_other_customer_waiting(
    site: Site, visitor: BrowserClient, threads: ThreadPoolExecutor
) -> None:
    """A disconnect waits for a lock on its connection while another customer starts and completes an install."""
    visitor.connects(site.link(subscriber_id="ada"))
    (ada,) = details(site)
    environment, actor = site.runtime.environments.first().id, Actor(ActorKind.OPERATOR, "olga@example.com")
    with newest_locked(site, "channel_connections"):
        disconnect = threads.submit(
            site.runtime.connections.disconnect, environment, ada.connection.identifier, actor, revoke=True
        )
        assert until(lambda: lock_waits(site) == 1)
        other = site.link(subscriber_id="bea")
        assert threads.submit(visitor.connects, other, "T0ACMETEST").result(20).outcome == "connected"
        assert not disconnect.done()
    disconnect.result(20)
    assert [one.connection.subscriber_id for one in details(site)] == ["bea"]
