"""Every page that changes something leaves an audit entry with the real actor, and no secret."""

from tests.audit import Entry, entries
from tests.browser_client import BrowserClient, Site
from tests.pages.test_approval import link_for_admin

ADA = "operator:ada@northwind.test"


def test_practice_link_of_a_visitor_is_the_systems(site: Site, visitor: BrowserClient) -> None:
    visitor.presses(visitor.opens("/"), "try")
    (created,) = _of(site, "link.created")
    assert (created.actor, created.detail) == ("system", "invitation")


def test_practice_link_of_an_operator_is_the_operators(site: Site, operator: BrowserClient) -> None:
    operator.presses(operator.opens("/"), "try")
    (created,) = _of(site, "link.created")
    assert created.actor == ADA


def test_install_is_recorded_with_its_link(site: Site, visitor: BrowserClient) -> None:
    assert visitor.connects(site.link()).outcome == "connected"
    (created,), (connected,) = _of(site, "link.created"), _of(site, "connection.connected")
    assert connected.actor == f"link:{created.subject}"
    assert visitor.connects(site.link()).outcome == "reconnected"
    (reconnected,) = _of(site, "connection.reconnected")
    assert (reconnected.subject, reconnected.actor.partition(":")[0]) == (connected.subject, "link")


def test_approval_is_recorded_with_the_link_or_the_operator(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    link_for_admin(visitor.presses(visitor.opens(site.link()), "ask-admin"))
    (created,), (handed_on,) = _of(site, "link.created"), _of(site, "link.handed_on")
    assert handed_on.actor == f"link:{created.subject}"
    operator.presses(operator.opens("/slack/install"), "ask-admin")
    (by_ada,) = [one for one in _of(site, "link.handed_on") if one != handed_on]
    assert by_ada.actor == ADA


def test_reconnect_and_disconnect_in_the_console_are_the_operators(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    (connected,) = _of(site, "connection.connected")
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    broken = operator.presses(operator.opens(f"/connections/{connected.subject}"), "verify")
    operator.presses(broken, "reconnect")
    assert [one.actor for one in _of(site, "link.created")].count(ADA) == 1
    page = operator.presses(operator.opens(f"/connections/{connected.subject}/disconnect"), "confirm-disconnect")
    assert page.name == "disconnected"
    (disconnected,) = _of(site, "connection.disconnected")
    assert (disconnected.actor, disconnected.subject) == (ADA, connected.subject)


def test_no_entry_contains_a_secret(site: Site, operator: BrowserClient) -> None:
    url = site.link()
    sign_in = site.sign_in_url("bob@northwind.test")
    key = site.api_key("program")
    operator.connects(url)
    written = str(entries(site.runtime.database))
    assert "ada@northwind.test" in written
    secrets = (key, url.rpartition("/")[2], sign_in.rpartition("/")[2], "xoxb-", "xoxe")
    assert [secret for secret in secrets if secret in written] == []


def _of(site: Site, action: str) -> list[Entry]:
    return [one for one in entries(site.runtime.database) if one.action == action]
