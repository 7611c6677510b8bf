"""An operator who is removed, or becomes a viewer, during an install connects nothing and learns nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from onboarding.callers import SHELL
from tests.browser_client import BrowserClient, Page, Site
from tests.pages.test_approval import link_for_admin
from tests.pages.test_callback import callback_of
from tests.pages.test_reconnect import details
from tests.pages.test_setup import reaches_setup
from tests.waiting import until

ADA = "ada@northwind.test"
_FULL = {"connection_mode": "subscriber", "subscriber_id": "bea"}


def _is_removed(site: Site) -> None:
    site.runtime.operators.remove(ADA, SHELL)


def _is_demoted(site: Site) -> None:
    site.sign_in_url(ADA, "viewer")


@pytest.fixture(params=[_is_removed, _is_demoted], ids=["removed", "demoted"])
def lose_rights(request: pytest.FixtureRequest, site: Site) -> Callable[[], None]:
    """Remove the operator, or make her a viewer."""
    return lambda: request.param(site)


def _is_denied(site: Site, page: Page, revoked: bool = True) -> None:
    assert (page.outcome, page.status) == ("operator_denied", 403)
    assert "somebody-else" not in page.text
    assert ("was removed from Acme" in page.text) is revoked
    assert not list(page.main.iter("button"))
    assert details(site) == []
    assert site.slack.installations() == []


def test_callback_exchanges_nothing(site: Site, operator: BrowserClient, lose_rights: Callable[[], None]) -> None:
    callback = callback_of(operator, operator.presses(operator.opens("/slack/install"), "connect"))
    lose_rights()
    page = operator.opens(callback)
    _is_denied(site, page, revoked=False)
    assert site.slack.calls("oauth.v2.access") == []
    _is_denied(site, operator.opens(callback), revoked=False)


def test_set_up_page_suggests_nobody(site: Site, operator: BrowserClient, lose_rights: Callable[[], None]) -> None:
    with BrowserClient(site) as other:
        other.connects(site.link(subscriber_id="somebody-else"), workspace="T0ACMETEST")
    setup = reaches_setup(operator)
    assert "somebody-else" in setup.text
    lose_rights()
    page = operator.opens(setup.url)
    assert (page.outcome, page.status) == ("operator_denied", 403)
    assert "somebody-else" not in page.text
    assert len(site.slack.installations()) == 1, "the grant is revoked, the other customer's is not"


def test_set_up_form_connects_nothing(site: Site, operator: BrowserClient, lose_rights: Callable[[], None]) -> None:
    setup = reaches_setup(operator)
    lose_rights()
    _is_denied(site, operator.presses(setup, "save", **_FULL))


@pytest.mark.parametrize("action", ["replace", "choose-again", "do-not-connect", ""])
def test_other_workspace_is_neither_connected_nor_chosen_again(
    action: str, site: Site, operator: BrowserClient, lose_rights: Callable[[], None]
) -> None:
    assert operator.presses(reaches_setup(operator), "save", **_FULL).outcome == "connected"
    question = operator.presses(reaches_setup(operator, "T0ACMETEST"), "save", **_FULL)
    assert question.outcome == "wrong_workspace"
    lose_rights()
    page = operator.presses(question, action) if action else operator.opens(question.url)
    assert (page.outcome, page.status) == ("operator_denied", 403)
    assert "was removed from Acme Test again" in page.text
    (kept,) = details(site)
    assert kept.connection.workspace_id == "T0ACMEHQ01"
    assert len(site.slack.installations()) == 1


def test_approval_ends(site: Site, operator: BrowserClient, lose_rights: Callable[[], None]) -> None:
    page = operator.presses(operator.opens("/slack/install"), "ask-admin")
    link = link_for_admin(page)
    with BrowserClient(site) as admin:
        setup, started = admin.connects(link), admin.opens(link)
        consent = admin.presses(started, "connect")
        lose_rights()
        assert admin.opens(link).outcome == "link_revoked"
        assert admin.presses(started, "connect").outcome == "link_revoked"
        assert admin.allows(consent).outcome == "link_revoked"
        assert admin.presses(setup, "save", **_FULL).outcome == "link_revoked"
    _is_denied(site, operator.opens(page.url), revoked=False)


def _reconnects(site: Site, operator: BrowserClient) -> Page:
    """Let the operator start to reconnect a connection that has lost its access, and return the start page."""
    with BrowserClient(site) as other:
        other.connects(site.link())
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    (broken,) = details(site)
    page = operator.presses(operator.opens(f"/connections/{broken.connection.identifier}"), "verify")
    return operator.presses(page, "reconnect")


def test_reconnecting_from_the_console_ends(
    site: Site, operator: BrowserClient, lose_rights: Callable[[], None]
) -> None:
    start = _reconnects(site, operator)
    (before,) = details(site)
    callback = callback_of(operator, operator.presses(start, "connect"))
    lose_rights()
    assert operator.opens(callback).outcome == "link_revoked"
    assert operator.opens(start.url).outcome == "link_revoked"
    (after,) = details(site)
    assert after.token_since == before.token_since


def test_reconnecting_ends_although_slack_was_asked_before(
    site: Site, operator: BrowserClient, lose_rights: Callable[[], None]
) -> None:
    callback = callback_of(operator, operator.presses(_reconnects(site, operator), "connect"))
    (before,) = details(site)
    site.slack.answers_slowly("oauth.v2.access", 60)
    with ThreadPoolExecutor(1) as threads:
        reconnect = threads.submit(operator.opens, callback)
        assert until(lambda: site.slack.faults.hanging == 1)
        lose_rights()
        site.slack.faults.clear()
        assert reconnect.result(20).outcome == "link_revoked"
    (after,) = details(site)
    assert (after.token_since, after.connection.status) == (before.token_since, before.connection.status)


def test_managing_what_was_reconnected_ends(
    site: Site, operator: BrowserClient, lose_rights: Callable[[], None]
) -> None:
    start = _reconnects(site, operator)
    assert operator.allows(operator.presses(start, "connect")).outcome == "reconnected"
    assert operator.opens(f"{start.url}/manage").status == 200
    lose_rights()
    assert operator.opens(f"{start.url}/manage").outcome == "link_revoked"


def test_operator_who_is_back_continues(site: Site, operator: BrowserClient) -> None:
    page = operator.presses(operator.opens("/slack/install"), "ask-admin")
    callback = callback_of(operator, operator.presses(operator.opens("/slack/install"), "connect"))
    _is_demoted(site)
    site.sign_in_url(ADA, "operator")
    with BrowserClient(site) as admin:
        assert admin.opens(link_for_admin(page)).name == "connect-start"
    assert operator.opens(callback).name == "setup"


def test_link_for_a_customer_outlasts_its_operator(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    site.sign_in_url(ADA)
    _is_removed(site)
    assert visitor.connects(link).outcome == "connected"
