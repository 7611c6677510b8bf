"""A customer who cannot approve apps hands the install on to an admin, and sees when it is done."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def link_for_admin(page: Page) -> str:
    shown = next(one for one in page.root.iter("code") if one.get("id") == "approval-url")
    return "".join(shown.itertext())


def status_url(page: Page) -> str:
    return next(url for one in page.root.iter() if (url := one.get("data-status-url")))


def test_the_page_becomes_connected_when_the_admin_has_installed(site: Site, visitor: BrowserClient) -> None:
    page = visitor.presses(visitor.opens(site.link()), "ask-admin")
    assert (page.name, page.outcome, page.status) == ("approval", "awaiting_approval", 200)
    message = next(one for one in page.root.iter("p") if one.get("id") == "approval-message")
    assert link_for_admin(page) in "".join(message.itertext())
    assert visitor.asks("GET", status_url(page)).json() == {"connected": False}
    with BrowserClient(site) as admin:
        done = admin.connects(link_for_admin(page), workspace="T0ACMETEST")
        assert done.outcome == "connected"
        assert "bea" in done.text
    assert visitor.asks("GET", status_url(page)).json() == {"connected": True}
    assert (visitor.opens(page.url).outcome, visitor.opens(page.url).heading) == ("connected", "Slack is connected")


def test_the_page_that_waits_opens_for_a_week_in_this_browser(site: Site, visitor: BrowserClient) -> None:
    visitor.presses(visitor.opens(site.link()), "ask-admin")
    expires = [one.expires for one in visitor.cookies.jar if one.name.startswith("attempt_")]
    assert [round((at or 0) - time.time(), -4) for at in expires] == [610_000]


def test_the_admins_link_is_valid_for_seven_days(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    page = visitor.presses(visitor.opens(site.link()), "ask-admin")
    with BrowserClient(site) as admin:
        clock.forward(days=6, hours=23)
        assert admin.connects(link_for_admin(page)).outcome == "connected"
    other = visitor.presses(visitor.opens(site.link(subscriber_id="cy")), "ask-admin")
    clock.forward(days=7)
    assert visitor.opens(link_for_admin(other)).outcome == "link_expired"


def test_a_canceled_install_offers_the_approval_by_an_admin(site: Site, visitor: BrowserClient) -> None:
    for scenario in ("cancelled", "cancelled_without_description"):
        page = visitor.connects(site.link(), scenario=scenario)
        assert visitor.presses(page, "ask-admin").outcome == "awaiting_approval"


def test_a_workspace_that_wants_approval_is_connected_by_its_admin(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    stopped = visitor.allows(visitor.presses(visitor.opens(link), "connect"), workspace="T0HARBORLG")
    assert stopped.name == "practice-approval"
    page = visitor.presses(visitor.opens(link), "ask-admin")
    with BrowserClient(site) as admin:
        asked = admin.allows(admin.presses(admin.opens(link_for_admin(page)), "connect"), workspace="T0HARBORLG")
        admin.allows(admin.presses(asked, "approve"), workspace="T0HARBORLG")
    assert visitor.opens(page.url).heading == "Slack is connected"


def test_an_operators_request_leads_the_admin_to_the_set_up_page(site: Site, operator: BrowserClient) -> None:
    page = operator.presses(operator.opens("/slack/install"), "ask-admin")
    assert page.outcome == "awaiting_approval"
    with BrowserClient(site) as admin:
        setup = admin.connects(link_for_admin(page))
        assert setup.name == "setup"
        admin.presses(setup, "save", connection_mode="subscriber", subscriber_id="dan")
    assert operator.opens(page.url).outcome == "connected"


def test_an_operators_approval_is_an_open_link_and_lives_for_a_day(
    site: Site, operator: BrowserClient, clock: Clock
) -> None:
    page = operator.presses(operator.opens("/slack/install"), "ask-admin")
    shown = next(one for one in page.main.iter("time")).get("datetime", "")
    assert datetime.fromisoformat(shown) <= datetime.now(UTC) + timedelta(hours=24)
    with BrowserClient(site) as admin:
        clock.forward(hours=23, minutes=59)
        assert admin.opens(link_for_admin(page)).name == "connect-start"
        # An approval of the approval is the same link.
        again = admin.presses(admin.opens(link_for_admin(page)), "ask-admin")
        clock.forward(minutes=1)
        assert admin.opens(link_for_admin(again)).outcome == "link_expired"
        assert admin.opens(link_for_admin(page)).outcome == "link_expired"


def test_approval_of_an_open_link_ends_with_it(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    link = site.link(is_open=True)
    clock.forward(hours=23)
    page = visitor.presses(visitor.opens(link), "ask-admin")
    with BrowserClient(site) as admin:
        assert admin.opens(link_for_admin(page)).name == "connect-start"
        clock.forward(hours=1)
        assert admin.opens(link_for_admin(page)).outcome == "link_expired"


def test_only_the_browser_that_asked_sees_the_result(site: Site, visitor: BrowserClient) -> None:
    page = visitor.presses(visitor.opens(site.link()), "ask-admin")
    with BrowserClient(site) as other:
        assert other.opens(page.url).outcome == "other_browser"
        assert other.asks("GET", status_url(page)).status_code == 404
    assert urlsplit(status_url(page)).query == ""


@pytest.mark.parametrize(
    ("way", "scenario"),
    [("the same link", "normal"), ("the approval", "partial_permissions"), ("the approval", "org_install")],
)
def test_names_are_shown_in_the_browser_that_connected_only(
    way: str, scenario: str, site: Site, visitor: BrowserClient
) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:secret-a", "team:secret-b"))
    page = visitor.presses(visitor.opens(link), "ask-admin")
    with BrowserClient(site) as admin:
        setup = admin.connects(link if way == "the same link" else link_for_admin(page), scenario=scenario)
        done = admin.presses(setup, "save", connection_mode="subscriber", offered_context="team:secret-a")
        assert done.outcome in ("connected", "partial_permissions", "org_installed")
        facts = " ".join(" ".join(one.itertext()) for one in done.main.iter("dd")).split()
    names = [word for word in facts if word not in ("bea", "Slack", "user")]
    assert "secret-a" in names
    assert len(names) > 5, "workspace or organization, installer and time"
    seen = visitor.opens(page.url)
    assert seen.outcome == "connected"
    assert [name for name in names if f" {name} " in f" {' '.join(seen.main.itertext())} "] == []
    assert not list(seen.main.iter("button"))


def test_an_operator_who_asked_finds_the_connection_in_the_console(site: Site, operator: BrowserClient) -> None:
    page = operator.presses(operator.opens("/slack/install"), "ask-admin")
    with BrowserClient(site) as admin:
        setup = admin.connects(link_for_admin(page))
        admin.presses(setup, "save", connection_mode="subscriber", subscriber_id="chosen-there")
    seen = operator.opens(page.url)
    assert seen.heading == "Slack is connected"
    assert "chosen-there" not in seen.text
    (found,) = [one.get("href", "") for one in seen.main.iter("a") if "/connections/" in one.get("href", "")]
    assert "chosen-there" in operator.opens(found).text


def test_the_browser_that_asked_and_then_connected_sees_the_names(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    page = visitor.presses(visitor.opens(link), "ask-admin")
    assert visitor.connects(link).outcome == "connected"
    assert visitor.opens(page.url).heading == "Acme HQ is connected"


def test_a_link_is_handed_on_once_and_an_approval_not_at_all(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    with BrowserClient(site) as admin:
        opened_before = admin.opens(link)
        first = link_for_admin(visitor.presses(visitor.opens(link), "ask-admin"))
        again = link_for_admin(admin.presses(admin.opens(first), "ask-admin"))
        other = link_for_admin(admin.presses(opened_before, "ask-admin"))
    assert first == again == other != link


def test_an_approval_ends_with_its_link(site: Site, visitor: BrowserClient) -> None:
    for ends in ("revoked", "used", "revoked on the way"):
        link = site.link(subscriber_id=ends.replace(" ", "-"))
        approval = link_for_admin(visitor.presses(visitor.opens(link), "ask-admin"))
        consent = visitor.presses(visitor.opens(approval), "connect")
        if ends == "used":
            with BrowserClient(site) as customer:
                assert customer.connects(link).outcome == "connected"
        else:
            assert site.revoke_link(link)
        if ends == "revoked on the way":
            assert visitor.allows(consent).outcome == "link_revoked"
        with BrowserClient(site) as stranger:
            assert stranger.opens(approval).outcome == f"link_{ends.partition(' ')[0]}"


def test_link_is_used_by_its_approval(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    page = visitor.presses(visitor.opens(link), "ask-admin")
    with BrowserClient(site) as admin:
        assert admin.connects(link_for_admin(page)).outcome == "connected"
    with BrowserClient(site) as stranger:
        assert stranger.opens(link).outcome == "link_used"


def test_an_approval_of_an_open_link_expires_with_it(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    page = visitor.presses(visitor.opens(site.link(is_open=True)), "ask-admin")
    clock.forward(hours=25)
    assert visitor.opens(link_for_admin(page)).outcome == "link_expired"


@pytest.mark.parametrize("scenario", ["enterprise_is_restricted", "cancelled_without_description", "cancelled"])
def test_reconnecting_with_a_used_link_offers_no_approval(scenario: str, site: Site, visitor: BrowserClient) -> None:
    declined = visitor.connects(site.link(), scenario="partial_permissions")
    page = visitor.allows(visitor.presses(declined, "try-again"), scenario=scenario)
    hooks = {one.get("data-action") for one in page.main.iter("button")}
    assert ("try-again" in hooks, "ask-admin" in hooks) == (True, False)


def test_an_open_links_approval_page_shows_the_real_expiry(site: Site, visitor: BrowserClient) -> None:
    page = visitor.presses(visitor.opens(site.link(is_open=True)), "ask-admin")
    until = next(one for one in page.main.iter("time")).get("datetime", "")
    assert datetime.fromisoformat(until) <= datetime.now(UTC) + timedelta(hours=24)


def test_a_refused_install_is_not_shown_as_connected(site: Site, visitor: BrowserClient) -> None:
    """The customer connected a workspace in the meantime: the admin's is neither connected nor shown as connected."""
    link = site.link(subscriber_id="bea", offered_context_keys=("team:x", "team:y"))
    page = visitor.presses(visitor.opens(link), "ask-admin")
    with BrowserClient(site) as admin:
        waiting = admin.connects(link_for_admin(page), workspace="T0ACMETEST")
        with BrowserClient(site) as customer:
            setup = customer.connects(link)
            assert customer.presses(setup, "save", offered_context="team:x").outcome == "connected"
        assert admin.presses(waiting, "save", offered_context="team:y").outcome == "link_used"
    assert visitor.opens(page.url).heading == "Slack is connected"


def test_the_start_page_says_that_an_approval_waits(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="waits")
    for_the_admin = link_for_admin(visitor.presses(visitor.opens(link), "ask-admin"))
    page = visitor.opens(link)
    assert (page.name, page.heading) == ("connect-start", "Your Slack admin needs to approve this")
    assert link_for_admin(page) == for_the_admin
    # The person may connect the workspace without waiting.
    assert visitor.allows(visitor.presses(page, "connect"), scenario="cancelled").outcome == "cancelled"
    assert link_for_admin(visitor.opens(link)) == for_the_admin
    assert visitor.opens(for_the_admin).heading == "Connect Slack to Northwind", "the page of the admin"
    with BrowserClient(site) as admin:
        admin.connects(for_the_admin)
    assert visitor.opens(site.link(subscriber_id="waits")).outcome == "already_connected"


def test_another_link_for_the_customer_shows_no_link_of_the_admin(site: Site, visitor: BrowserClient) -> None:
    visitor.presses(visitor.opens(site.link(subscriber_id="waits-too")), "ask-admin")
    page = visitor.opens(site.link(subscriber_id="waits-too"))
    assert page.heading == "Your Slack admin needs to approve this"
    assert not [one for one in page.root.iter("code") if one.get("id") == "approval-url"]
    assert "ask-admin" in {one.get("data-action") for one in page.main.iter("button")}


def test_a_broken_connection_waits_for_an_approval_too(
    site: Site, operator: BrowserClient, visitor: BrowserClient
) -> None:
    done = operator.connects(site.link(subscriber_id="bea"))
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    (connection,) = {url for url in done.hrefs if "/connections/" in url}
    operator.presses(operator.opens(connection), "verify")
    link = site.link(subscriber_id="bea")
    for_the_admin = link_for_admin(visitor.presses(visitor.opens(link), "ask-admin"))
    page = visitor.opens(link)
    assert (page.outcome, link_for_admin(page)) == ("already_connected", for_the_admin)
