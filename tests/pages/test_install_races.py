"""Installs that complete at the same moment and want the same workspace, link or connection."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
from sqlalchemy import text

from onboarding.practice.faults import Fault
from tests.browser_client import BrowserClient, Page, Site
from tests.pages.test_callback import callback_of, consent_of
from tests.pages.test_reconnect import details
from tests.waiting import until

BROWSERS = 6
_HQ, _TEST = "T0ACMEHQ01", "T0ACMETEST"


class Crowd:
    """People with a browser each."""

    def __init__(self, site: Site, browsers: list[BrowserClient], threads: ThreadPoolExecutor) -> None:
        self.site, self.browsers, self._threads = site, browsers, threads

    def at_once(self, act: Callable[[BrowserClient, int], Page]) -> Counter[str]:
        """Run `act` for everyone at the same moment and count the outcomes."""
        barrier = Barrier(len(self.browsers))

        def started(number: int) -> str:
            barrier.wait(20)
            return act(self.browsers[number], number).outcome or ""

        return Counter(self._threads.map(started, range(len(self.browsers))))

    def open_at_once(self, addresses: list[str]) -> Counter[str]:
        return self.at_once(lambda browser, number: browser.opens(addresses[number]))


@pytest.fixture
def crowd(site: Site) -> Iterator[Crowd]:
    with ExitStack() as stack:
        browsers = [stack.enter_context(BrowserClient(site)) for _ in range(BROWSERS)]
        yield Crowd(site, browsers, stack.enter_context(ThreadPoolExecutor(BROWSERS)))


def test_one_of_many_customers_gets_a_workspace_that_only_one_may_have(crowd: Crowd) -> None:
    crowd.site.add_practice_app("strict", "Strict", "Development", "refuse")
    links = [crowd.site.link("strict", subscriber_id=f"s{number}") for number in range(BROWSERS)]
    callbacks = [callback_of(one, consent_of(one, link)) for one, link in zip(crowd.browsers, links, strict=True)]
    outcomes = crowd.open_at_once(callbacks)
    assert outcomes == {"connected": 1, "workspace_taken": BROWSERS - 1}
    assert len(details(crowd.site)) == 1
    assert len(crowd.site.slack.installations()) == 1, "the winner's access was not revoked"


def test_one_of_many_people_uses_a_link(crowd: Crowd) -> None:
    keys = tuple(f"team:t{number}" for number in range(BROWSERS))
    link = crowd.site.link(subscriber_id="bea", offered_context_keys=keys)
    forms = [browser.connects(link) for browser in crowd.browsers]
    outcomes = crowd.at_once(lambda browser, n: browser.presses(forms[n], "save", offered_context=keys[n]))
    assert outcomes == {"connected": 1, "link_used": BROWSERS - 1}
    assert len(details(crowd.site)) == 1


@pytest.mark.parametrize("keys", [(), ("team:a", "team:b")], ids=["nothing open", "set-up page"])
def test_one_of_two_workspaces_is_connected_with_a_link(keys: tuple[str, ...], crowd: Crowd) -> None:
    link = crowd.site.link(subscriber_id="bea", offered_context_keys=keys)
    workspaces = [_HQ, _TEST] * (BROWSERS // 2)
    consents = [consent_of(browser, link) for browser in crowd.browsers]
    callbacks = [callback_of(browser, consents[n], workspace=workspaces[n]) for n, browser in enumerate(crowd.browsers)]
    if keys:
        forms = [browser.opens(callbacks[n]) for n, browser in enumerate(crowd.browsers)]
        outcomes = crowd.at_once(lambda browser, n: browser.presses(forms[n], "save", offered_context=keys[0]))
    else:
        outcomes = crowd.open_at_once(callbacks)
    half = BROWSERS // 2
    assert outcomes == {"connected": 1, "reconnected": half - 1, "link_used": half}
    (one,) = details(crowd.site)
    assert [installed.workspace_id for installed in crowd.site.slack.installations()] == [one.connection.workspace_id]


def test_customers_swap_workspaces_without_blocking_each_other(crowd: Crowd) -> None:
    workspaces = [_HQ, _TEST] * (BROWSERS // 2)
    for number, browser in enumerate(crowd.browsers):
        browser.connects(crowd.site.link(subscriber_id=f"s{number}"), workspace=workspaces[number])
    for _ in range(4):
        workspaces.reverse()
        starts = [browser.opens(crowd.site.link(subscriber_id=f"s{n}")) for n, browser in enumerate(crowd.browsers)]
        consents = [
            browser.presses(start, "connect", intent="other_workspace")
            for browser, start in zip(crowd.browsers, starts, strict=True)
        ]
        callbacks = [
            callback_of(browser, consents[number], workspace=workspaces[number])
            for number, browser in enumerate(crowd.browsers)
        ]
        outcomes = crowd.open_at_once(callbacks)
        assert outcomes == {"reconnected": BROWSERS}
        assert installed(crowd.site) == {f"s{number}": f"team:{workspaces[number]}" for number in range(BROWSERS)}


@pytest.mark.parametrize("is_asked", [False, True], ids=["stored at once", "after a choice"])
def test_grant_that_a_revocation_ended_before_it_was_stored_is_noticed(is_asked: bool, crowd: Crowd) -> None:
    """Two people of one workspace: one declines while the other one's exchange is answered."""
    site, (declining, connecting, *_others) = crowd.site, crowd.browsers
    keys = ("team:a", "team:b")
    waiting = declining.connects(site.link(subscriber_id="amy", offered_context_keys=keys))
    link = site.link(subscriber_id="bea", offered_context_keys=keys if is_asked else ())
    callback = callback_of(connecting, consent_of(connecting, link))
    site.slack.faults.add("oauth.v2.access", Fault("hang", seconds=60, moment="after"))
    with ThreadPoolExecutor(1) as threads:
        opening = threads.submit(connecting.opens, callback)
        assert until(lambda: site.slack.faults.hanging == 1)
        assert declining.presses(waiting, "do-not-connect").outcome == "cancelled"
        site.slack.faults.clear()
        page = opening.result(30)
    assert site.slack.installations() == [], "the access of both was revoked"
    _check_workspaces(site)
    assert _enqueued(site).count("check_workspace") == (2 if is_asked else 1), "again while a grant waits"
    page = connecting.presses(page, "save", offered_context=keys[0]) if is_asked else page
    assert page.outcome == "connected"
    _check_workspaces(site)
    site.runtime.connections.enqueue_checks()
    assert "check_installation" in _enqueued(site)
    with site.runtime.database.reading() as session:
        site.runtime.connections.check(session.scalar(text("SELECT id FROM installations")) or "")
    (one,) = details(site)
    assert one.connection.status == "needs_reconnect"


def _check_workspaces(site: Site) -> None:
    """Do the work that a revocation enqueued, as a worker does when its time has come."""
    with site.runtime.database.reading() as session:
        integration_id = session.scalar(text("SELECT id FROM integrations")) or ""
    assert "check_workspace" in _enqueued(site)
    site.runtime.workspace_checks.check(integration_id, _HQ)


def _enqueued(site: Site) -> list[str]:
    schema = "" if site.runtime.database.is_sqlite else "dbos."
    query = f"SELECT name FROM {schema}workflow_status WHERE status IN ('ENQUEUED', 'DELAYED')"  # noqa: S608 - a constant.
    with site.runtime.database.engine.connect() as connection:
        return list(connection.scalars(text(query)))


def installed(site: Site) -> dict[str, str]:
    """Return the workspace of the installation that each subscriber's connection uses."""
    query = (
        "SELECT subscriber_id, slack_key FROM channel_connections c JOIN installations i ON i.id = c.installation_id"
    )
    with site.runtime.database.reading() as session:
        return {row.subscriber_id: row.slack_key for row in session.execute(text(query))}
