"""Bulk actions on connections: choose, answer the question, and read the results."""

from collections import Counter
from urllib.parse import urljoin

import pytest
from sqlalchemy import select, update

from onboarding.callers import SHELL
from onboarding.store.bulk import BulkItem
from onboarding.store.connections import ChannelConnection
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


@pytest.fixture
def three(site: Site, operator: BrowserClient) -> list[str]:
    """Connect a workspace for each of three customers, and return their identifiers, oldest first."""
    for customer in ("ann", "bea", "cy"):
        operator.connects(site.link(subscriber_id=customer, mode="subscriber"))
    return _rows(operator.opens("/connections"))[::-1]


def test_each_box_names_its_customer(operator: BrowserClient, three: list[str]) -> None:
    page = operator.opens("/connections")
    labels = [one.get("aria-label", "") for one in page.root.iter("input") if one.get("name") == "connection"]
    assert len(set(labels)) == len(three)
    assert "bea" in labels[1]


def test_selected_connections_are_checked_and_each_has_a_result(
    site: Site, operator: BrowserClient, three: list[str]
) -> None:
    with site.runtime.database.transaction() as session:
        session.execute(
            update(ChannelConnection).where(ChannelConnection.identifier == three[2]).values(workspace_id="T0OTHER")
        )
    page = _begins(operator, "check", three[:1] + three[2:])
    assert (page.name, page.main.get("data-state")) == ("bulk-action", "running")
    assert _results(page) == {three[0]: "", three[2]: ""}
    assert "0 of 2" in page.text
    _work(site, page)
    page = operator.opens(page.url)
    assert page.main.get("data-state") == "done"
    assert _results(page) == {three[0]: "healthy", three[2]: "needs_reconnect"}
    assert "The token belongs to another workspace" in page.text
    assert "Check 2 connections" in operator.opens("/bulk").text


def test_all_that_match_get_reconnect_links(
    site: Site, operator: BrowserClient, visitor: BrowserClient, three: list[str]
) -> None:
    listed = operator.opens("/connections?q=bea")
    page = _begins(operator, "link", [], listed, scope="all")
    _work(site, page)
    page = operator.opens(page.url)
    assert _results(page) == {three[1]: "link_created"}
    (link,) = ("".join(one.itertext()) for one in page.root.iter("span") if (one.get("id") or "").startswith("link-"))
    assert visitor.connects(link.strip()).outcome in ("reconnected", "connected")
    assert f"bea\t{link}" in "".join(next(one for one in page.root.iter("pre")).itertext())
    created = [one.actor for one in entries(site.runtime.database) if one.action == "link.created"]
    assert created.count("operator:ada@northwind.test") == 1


def test_disconnect_asks_first_and_counts(site: Site, operator: BrowserClient, three: list[str]) -> None:
    page = _begins(operator, "disconnect", three)
    assert (page.heading, page.main.get("data-state")) == ("Disconnect 3 connections?", "question")
    _work(site, page, is_enqueued=False)
    assert len(_rows(operator.opens("/connections"))) == 3
    assert "No bulk actions yet" in operator.opens("/bulk").text
    # Another operator is faster with one of them.
    operator.presses(operator.opens(f"/connections/{three[0]}/disconnect"), "confirm-disconnect")
    page = operator.presses(page, "confirm-bulk")
    assert page.main.get("data-state") == "running"
    _work(site, page)
    page = operator.opens(page.url)
    assert _results(page) == {three[0]: "gone", three[1]: "kept", three[2]: "revoked"}
    assert "Done." in page.text
    disconnected = [one for one in entries(site.runtime.database) if one.action == "connection.disconnected"]
    assert {one.actor for one in disconnected} == {"operator:ada@northwind.test"}


def test_disconnect_of_a_worker_that_died_before_it_stored_the_result_is_shown(
    site: Site, operator: BrowserClient, three: list[str]
) -> None:
    page = operator.presses(_begins(operator, "disconnect", three[:1]), "confirm-bulk")
    environment_id = site.runtime.environments.first().id
    site.runtime.connections.disconnect(environment_id, three[0], SHELL)
    _work(site, page)
    assert _results(operator.opens(page.url)) == {three[0]: "kept"}


def test_fault_of_one_connection_does_not_stop_the_others(
    site: Site, operator: BrowserClient, three: list[str]
) -> None:
    page = _begins(operator, "check", three)
    site.slack.fails("auth.test", "status_500")
    _work(site, page)
    assert Counter(_results(operator.opens(page.url)).values()) == {"healthy": 2, "slack_down": 1}


def test_run_goes_on_in_small_steps_and_after_a_crash(site: Site, operator: BrowserClient) -> None:
    list(site.runtime.demo_connections.create("Development", 30))
    page = _begins(operator, "check", [], scope="all")
    site.runtime.bulk.work(_run_id(page))
    assert "25 of 30" in operator.opens(page.url).text
    # As if the worker had died before it stored one of the results.
    with site.runtime.database.transaction() as session:
        session.execute(update(BulkItem).where(BulkItem.position == 1).values(result=None))
    _work(site, page)
    with site.runtime.database.reading() as session:
        disconnected = session.scalars(
            select(ChannelConnection).where(ChannelConnection.installation_id.is_(None))
        ).all()
    # Slack knows none of these tokens.
    results = Counter(_results(operator.opens(page.url)).values())
    assert (results["needs_reconnect"], results["disconnected"]) == (30 - len(disconnected), len(disconnected))


def test_choice_is_bounded_and_must_not_be_empty(site: Site, operator: BrowserClient) -> None:
    list(site.runtime.demo_connections.create("Development", 1001))
    listed = operator.opens("/connections?mode=subscriber")
    page = _begins(operator, "check", [], listed)
    assert page.name == "connections"
    assert page.url.endswith("?mode=subscriber&bulk=nothing_chosen")
    assert "No connection was chosen" in page.text
    page = _begins(operator, "disconnect", [], operator.opens("/connections"), scope="all")
    assert "More than 1,000 connections match" in page.text
    assert _begins(operator, "erase", [], listed).status == 400


def test_bulk_actions_are_for_operators_of_the_environment(
    site: Site, visitor: BrowserClient, operator: BrowserClient, three: list[str]
) -> None:
    page = _begins(operator, "check", three[:1])
    site.sign_in_url("vera@northwind.test", "viewer")
    visitor.signs_in("vera@northwind.test")
    assert visitor.opens(page.url).status == 403
    assert 'data-action="bulk"' not in visitor.opens("/connections").text
    site.add_environment("Production")
    other = site.runtime.environments.named("Production").id
    assert site.runtime.bulk.newest(other) == ()


def test_results_are_deleted_after_a_week(site: Site, operator: BrowserClient, three: list[str], clock: Clock) -> None:
    page = _begins(operator, "check", three[:1])
    clock.forward(days=6)
    assert sum(site.runtime.retention.purge_bulk_runs()) == 0
    clock.forward(days=2)
    assert sum(site.runtime.retention.purge_bulk_runs()) == 1
    operator.signs_in("ada@northwind.test")
    gone = operator.opens(page.url)
    assert (gone.status, "deleted after a week" in gone.text) == (404, True)


def _begins(
    operator: BrowserClient, action: str, chosen: list[str], page: Page | None = None, scope: str = "selected"
) -> Page:
    """Send the menu's form, as a browser without scripts does."""
    page = page or operator.opens("/connections")
    form = page.form_of("bulk-check")
    fields = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("type") == "hidden"}
    body = {**fields, "scope": scope, "action": action, "connection": chosen}
    answer = operator.asks("POST", urljoin(page.url, form.get("action")), data=body)
    return operator.opens(answer.headers["Location"]) if answer.is_redirect else operator._page(answer)


def _work(site: Site, page: Page, is_enqueued: bool = True) -> None:
    """Do what the worker does with the run of a page."""
    if is_enqueued:
        while not site.runtime.bulk.find(site.runtime.environments.first().id, _run_id(page)).summary.is_finished:
            site.runtime.bulk.work(_run_id(page))


def _run_id(page: Page) -> str:
    return page.url.rpartition("/")[2]


def _rows(page: Page) -> list[str]:
    return [name for one in page.main.iter("tr") if (name := one.get("data-connection"))]


def _results(page: Page) -> dict[str, str]:
    rows = (one for one in page.main.iter("tr") if one.get("data-connection"))
    return {one.get("data-connection") or "": one.get("data-result") or "" for one in rows}
