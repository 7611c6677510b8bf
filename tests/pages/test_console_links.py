"""Links in the console: create, find again, revoke, and reconnect a customer."""

import pytest

from onboarding.services.connections.records import ConsoleSearch
from tests.browser_client import BrowserClient, Page, Site


def _address(page: Page) -> str:
    (found,) = (one for one in page.root.iter("code") if one.get("id") == "link-url")
    return "".join(found.itertext())


def test_operator_creates_a_link_that_connects_its_customer(
    site: Site, operator: BrowserClient, visitor: BrowserClient
) -> None:
    form = operator.opens("/links/new")
    values = {"subscriber_id": " northwind ", "contexts": "tenant=acme", "mode": "subscriber", "lifetime": "1"}
    page = operator.presses(form, "create-link", **values)
    assert (page.status, page.name) == (200, "link")
    assert "northwind · tenant:acme" in page.heading
    assert visitor.connects(_address(page)).outcome == "connected"
    assert "Used" in operator.opens(page.url).text
    (connection,) = site.runtime.connections.page(
        site.runtime.environments.first().id, ConsoleSearch(), None, None
    ).rows
    assert (connection.subscriber_id, connection.context_keys) == ("northwind", ("tenant:acme",))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "A link is for one customer"),
        ({"contexts": "acme"}, "“acme” is not a context"),
        ({"subscriber_id": "a/b"}, "A subscriber id must have"),
        ({"subscriber_id": "bea", "return_url": "javascript:alert(1)"}, "return address"),
        ({"subscriber_id": "bea", "lifetime": "9999"}, "Expires in"),
        ({"subscriber_id": "bea", "integration": "other"}, "Not a valid choice"),
        ({"subscriber_id": "bea", "contexts": "tenant:a tenant:b"}, "Context: Each context type"),
        ({"subscriber_id": "bea", "mode": "shared"}, "Mode: Shared mode needs a context."),
        ({"contexts": "tenant:a", "mode": "subscriber"}, "Mode: Subscriber mode needs a subscriber."),
    ],
)
def test_invalid_link_is_refused_with_its_input_kept(
    operator: BrowserClient, values: dict[str, str], said: str
) -> None:
    page = operator.presses(operator.opens("/links/new"), "create-link", **{"lifetime": "7", "mode": "", **values})
    assert (page.status, page.name) == (422, "new-link")
    assert said in page.text
    assert values.get("subscriber_id", "") in page.text
    assert "No links yet" in operator.opens("/links").text


def test_link_is_listed_and_revoked_once(site: Site, operator: BrowserClient, visitor: BrowserClient) -> None:
    url = site.link(subscriber_id="bea")
    listed = operator.opens("/links")
    assert "bea" in listed.text
    link_id = site.runtime.links.read(url.rsplit("/", 1)[1])
    page = operator.presses(operator.opens(f"/links/{link_id}"), "revoke")
    assert "Revoked" in page.text
    assert url not in page.text
    assert visitor.opens(url).outcome == "link_revoked"
    assert "Revoked" in operator.opens("/links").text
    assert operator.opens("/links/lnk_nothing").status == 404


def test_offered_contexts_of_a_link_are_listed(site: Site, operator: BrowserClient) -> None:
    url = site.link(subscriber_id="bea", offered_context_keys=("team:support", "team:sales"))
    assert "bea · team:support, team:sales" in operator.opens("/links").text
    link_id = site.runtime.links.read(url.rsplit("/", 1)[1])
    assert operator.opens(f"/links/{link_id}").heading == "Link for bea · team:support, team:sales"


def test_links_are_paged_newest_first(site: Site, operator: BrowserClient) -> None:
    for number in range(30):
        site.link(subscriber_id=f"customer-{number}")
    first = operator.opens("/links")
    second = operator.opens(first.link("next"))
    rows = [[one.get("data-link") for one in page.main.iter("tr") if one.get("data-link")] for page in (first, second)]
    assert list(map(len, rows)) == [25, 5]
    environment_id = site.runtime.environments.first().id
    assert [*rows[0], *rows[1]] == [one.id for one in site.runtime.links.newest(environment_id)]
    assert second.link("prev").startswith("/links?before=")
    assert operator.opens("/links?after=nonsense").status == 400


def test_viewer_sees_links_without_their_addresses(site: Site, visitor: BrowserClient) -> None:
    url = site.link(subscriber_id="bea")
    site.sign_in_url("vera@northwind.test", "viewer")
    visitor.signs_in("vera@northwind.test")
    page = visitor.opens("/links")
    assert "bea" in page.text
    assert url not in page.text
    assert visitor.opens("/links/new").status == 403


def test_customer_gets_a_link_that_reconnects_the_same_connection(
    site: Site, operator: BrowserClient, visitor: BrowserClient
) -> None:
    operator.connects(site.link(subscriber_id="bea", mode="subscriber"))
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    environment = site.runtime.environments.first().id
    (before,) = site.runtime.connections.page(environment, ConsoleSearch(), None, None).rows
    shown = operator.presses(operator.opens(f"/connections/{before.identifier}"), "verify")
    page = operator.presses(shown, "reconnect-link")
    assert page.name == "link"
    assert visitor.connects(_address(page)).outcome == "reconnected"
    (after,) = site.runtime.connections.page(environment, ConsoleSearch(), None, None).rows
    assert (after.identifier, after.status) == (before.identifier, "healthy")
