"""One link in two browsers that are both at Slack: the second one is refused, and its page says so."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
import pytest

from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.crashes.locks import wait_until_held
from tests.pages.test_callback import callback_of, consent_of
from tests.pages.test_reconnect import details

_NAMES = {"T0ACMEHQ01": "Acme HQ", "T0ACMETEST": "Acme Test"}
_BOTH_ORDERS = pytest.mark.parametrize("workspaces", [tuple(_NAMES), tuple(reversed(_NAMES))], ids=" then ".join)


@pytest.fixture
def other(site: Site) -> Iterator[BrowserClient]:
    with BrowserClient(site) as person:
        yield person


def is_refused(site: Site, page: Page, first: str, second: str) -> None:
    """Check the second browser's page, that the first one's workspace is connected, and that the other has no app."""
    assert (page.outcome, page.status) == ("link_used", 410)
    assert f"{_NAMES[second]} was not connected. Northwind was removed from {_NAMES[second]} again." in page.words
    assert _NAMES[first] not in page.text, "the second browser learns nothing of the first"
    assert "still in use" not in page.text, "the first may have replaced the workspace"
    assert list(page.main.iter("form")) == []
    assert [one.connection.workspace_id for one in details(site)] == [first]
    assert second not in [one.workspace_id for one in site.slack.installations()]


@_BOTH_ORDERS
def test_link_that_leaves_nothing_open(
    workspaces: tuple[str, str], site: Site, visitor: BrowserClient, other: BrowserClient
) -> None:
    link, (first, second) = site.link(), workspaces
    one, two = (
        callback_of(browser, consent_of(browser, link), workspace=place)
        for browser, place in ((visitor, first), (other, second))
    )
    assert visitor.opens(one).heading == f"{_NAMES[first]} is connected"
    refused = other.opens(two)
    is_refused(site, refused, first, second)
    for address in (refused.url, two, link):
        assert other.opens(address).outcome == "link_used"
    assert visitor.opens(link).heading == f"{_NAMES[first]} is connected"


@_BOTH_ORDERS
@pytest.mark.parametrize("last", ["saves", "opens the page again"])
def test_link_with_a_set_up_page(
    workspaces: tuple[str, str], last: str, site: Site, visitor: BrowserClient, other: BrowserClient
) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    first, second = workspaces
    refused_form, form = other.connects(link, second), visitor.connects(link, first)
    assert visitor.presses(form, "save", offered_context="team:a").outcome == "connected"
    again = last == "opens the page again"
    page = other.opens(refused_form.url) if again else other.presses(refused_form, "save", offered_context="team:a")
    is_refused(site, page, first, second)
    assert other.presses(refused_form, "save", offered_context="team:b").outcome == "link_used"


def test_open_link(site: Site, visitor: BrowserClient, other: BrowserClient) -> None:
    link = site.link(is_open=True)
    form, refused_form = visitor.connects(link), other.connects(link, "T0ACMETEST")
    typed = {"connection_mode": "subscriber", "subscriber_id": "ada"}
    assert visitor.presses(form, "save", **typed).outcome == "connected"
    is_refused(site, other.presses(refused_form, "save", **typed), *_NAMES)


def test_same_workspace_and_choice_is_a_reconnect(site: Site, visitor: BrowserClient, other: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    forms = [browser.connects(link) for browser in (visitor, other)]
    assert visitor.presses(forms[0], "save", offered_context="team:a").outcome == "connected"
    assert other.opens(forms[1].url).name == "setup"
    assert other.presses(forms[1], "save", offered_context="team:a").outcome == "reconnected"


def test_same_workspace_with_another_choice_is_refused(
    site: Site, visitor: BrowserClient, other: BrowserClient
) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    forms = [browser.connects(link) for browser in (visitor, other)]
    visitor.presses(forms[0], "save", offered_context="team:a")
    page = other.presses(forms[1], "save", offered_context="team:b")
    assert page.outcome == "link_used"
    assert "Your approval for Acme HQ was not used. Northwind stays in Acme HQ" in page.words
    assert "was not connected" not in page.text
    assert site.slack.calls("auth.revoke") == []


def test_page_that_asks_for_the_workspace_offers_no_replacement_after_the_link_was_used(
    site: Site, visitor: BrowserClient, other: BrowserClient
) -> None:
    visitor.connects(site.link(), workspace="T0MERIDESN")
    link = site.link()
    asked = [browser.connects(link, place) for browser, place in zip((visitor, other), _NAMES, strict=True)]
    assert [page.outcome for page in asked] == ["wrong_workspace"] * 2
    assert visitor.presses(asked[0], "replace").outcome == "reconnected"
    page = other.opens(asked[1].url)
    is_refused(site, page, *_NAMES)
    assert other.presses(asked[1], "replace").outcome == "link_used"


def test_consent_to_a_replacement_ends_when_another_browser_uses_the_link(
    site: Site, visitor: BrowserClient, other: BrowserClient
) -> None:
    visitor.connects(site.link(), workspace="T0MERIDESN")
    link, (first, second) = site.link(), _NAMES
    consents = [
        browser.presses(browser.opens(link), "connect", intent="other_workspace") for browser in (visitor, other)
    ]
    assert visitor.allows(consents[0], workspace=first).outcome == "reconnected"
    is_refused(site, other.allows(consents[1], workspace=second), first, second)


def test_page_that_asks_for_the_workspace_ends_with_a_revoked_link(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link())
    link = site.link()
    asked = visitor.connects(link, workspace="T0ACMETEST")
    site.revoke_link(link)
    page = visitor.opens(asked.url)
    assert page.outcome == "link_revoked"
    assert "Acme Test was not connected. Northwind was removed from Acme Test again." in page.words
    assert list(page.main.iter("form")) == []


def test_result_offers_no_new_start_with_a_link_that_has_expired(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    page = visitor.connects(site.link(), scenario="cancelled")
    assert page.form_of("try-again") is not None
    clock.forward(days=8)
    later = visitor.opens(page.url)
    assert (later.outcome, list(later.main.iter("form"))) == ("cancelled", [])
    assert "Ask the person who sent you the link for a new one." in later.words


@contextmanager
def links_deleted(site: Site) -> Iterator[None]:
    """Delete all links at the end, and let inserts of attempts wait until then."""
    if site.runtime.database.is_sqlite:
        with closing(sqlite3.connect(site.runtime.database.url.database or "", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM links")
            yield
            writer.execute("COMMIT")
        return
    with psycopg.connect(site.settings.database_url.get_secret_value()) as connection:
        connection.execute("LOCK TABLE attempts IN SHARE MODE")
        connection.execute("DELETE FROM links")
        yield


def test_link_that_is_deleted_while_its_start_waits(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    page = visitor.opens(link)
    with ThreadPoolExecutor(1) as threads, links_deleted(site):
        start = threads.submit(visitor.presses, page, "connect")
        wait_until_held(site, 1)
    answer = start.result(20)
    assert (answer.status, answer.heading) == (409, "Something was changed at the same time")
    assert visitor.opens(link).outcome == "link_expired"
