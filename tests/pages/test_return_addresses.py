"""The host's pages that a session or link leads to: where the person returns to, and where they get a new link."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser_client import BrowserClient, Page
from tests.desk import HOST, SESSIONS, Desk
from tests.programs import INTEGRATION

# Addresses are compared and written into pages; other tests store sessions and links.
pytestmark = pytest.mark.once

BACK = f"{HOST}/settings?tab=slack&outcome=forged"
AGAIN = f"{HOST}/slack/again"
PASSING = "https://passing.example"


def way_back(page: Page) -> dict[str, list[str]] | None:
    """Return the query of the link to the host's settings; None if the page has no such link."""
    found = [href for href in page.hrefs if urlsplit(href).path == "/settings"]
    return parse_qs(urlsplit(found[0]).query) if found else None


def test_person_returns_with_the_outcome_the_reference_and_the_connection(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="ada", returnUrl=BACK, reference="order 42&x")
    page = customer.connects(made["url"])
    assert way_back(page) == {
        "tab": ["slack"],
        "outcome": ["connected"],
        "session": [made["id"]],
        "reference": ["order 42&x"],
        "connection": [desk.program.lists("subscriberId=ada")[0]],
    }
    again = customer.opens(made["url"])
    assert way_back(again) == way_back(page)


def test_person_who_connected_nothing_returns_without_a_connection(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(returnUrl=BACK)
    page = customer.connects(made["url"], scenario="cancelled")
    assert way_back(page) == {"tab": ["slack"], "outcome": ["cancelled"], "session": [made["id"]]}


def test_link_of_the_command_leads_back_in_the_same_way(desk: Desk, customer: BrowserClient) -> None:
    url = desk.site.link(INTEGRATION, subscriber_id="bob", return_url=BACK, reference="mail-7")
    found = way_back(customer.connects(url))
    assert found is not None
    assert (found["outcome"], found["reference"]) == (["connected"], ["mail-7"])
    assert found["session"][0].startswith("lnk_")


def test_person_who_keeps_the_connection_returns_with_it(desk: Desk, customer: BrowserClient) -> None:
    customer.connects(desk.creates(subscriberId="cy")["url"])
    page = customer.opens(desk.creates(subscriberId="cy", returnUrl=BACK)["url"])
    found = way_back(page)
    assert found is not None
    assert (page.outcome, found["outcome"]) == ("already_connected", ["already_connected"])
    assert found["connection"] == desk.program.lists("subscriberId=cy")


@pytest.mark.parametrize("end", ["expired", "revoked", "used"])
def test_page_of_an_ended_session_leads_to_a_new_one(end: str, desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(returnUrl=BACK, refreshUrl=AGAIN, expiresIn=60)
    if end == "expired":
        desk.clock.forward(minutes=2)
    elif end == "revoked":
        desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}")
    else:
        with BrowserClient(desk.site) as other:
            other.connects(made["url"])
    page = customer.opens(made["url"])
    assert page.outcome == f"link_{end}"
    assert AGAIN in page.hrefs
    assert "Get a new link" in page.text
    found = way_back(page)
    assert found is not None
    assert (found["outcome"], "connection" in found) == ([f"link_{end}"], False)


def test_addresses_stop_working_with_their_origin(desk: Desk, customer: BrowserClient) -> None:
    desk.site.allow_origin(PASSING, INTEGRATION)
    addresses = {"returnUrl": f"{PASSING}/settings", "refreshUrl": f"{PASSING}/again"}
    first, second, third = (desk.creates(subscriberId="dan", expiresIn=60, **addresses) for _ in range(3))
    connected = customer.connects(first["url"])
    assert way_back(connected) is not None
    kept = customer.opens(second["url"])
    desk.site.change_integration(INTEGRATION, remove_origins=(PASSING,))
    desk.clock.forward(minutes=2)
    pages = [customer.opens(connected.url), customer.opens(third["url"])]
    assert [page.outcome for page in (kept, *pages)] == ["already_connected", "connected", "link_expired"]
    assert not any(PASSING in page.text for page in pages)
    assert desk.asks(**addresses).status_code == 422


def test_finished_session_of_an_attacker_shows_a_victim_nothing(desk: Desk, customer: BrowserClient) -> None:
    """Login CSRF (https://www.rfc-editor.org/rfc/rfc6749#section-10.12): the victim must not take it for their own."""
    made = desk.creates(subscriberId="mallory", returnUrl=BACK)
    with BrowserClient(desk.site) as attacker:
        finished = attacker.connects(made["url"], workspace="T0ACMETEST")
    pages = [customer.opens(made["url"]), customer.opens(finished.url)]
    assert [page.outcome for page in pages] == ["link_used", "other_browser"]
    for page in pages:
        assert "Acme Test" not in page.text
        assert "mallory" not in page.text
        assert "connection=" not in page.text
    answer = customer.asks("POST", made["url"])
    assert "/oauth/" not in answer.headers.get("Location", "")


def test_session_names_the_connected_workspace_and_a_link_does_not(desk: Desk, customer: BrowserClient) -> None:
    customer.connects(desk.creates(subscriberId="eve", connectionMode="subscriber")["url"])
    session = customer.opens(desk.creates(subscriberId="eve", connectionMode="subscriber")["url"])
    link = customer.opens(desk.site.link(INTEGRATION, subscriber_id="eve", mode="subscriber"))
    assert [page.outcome for page in (session, link)] == ["already_connected"] * 2
    assert ["Acme HQ" in page.text for page in (session, link)] == [True, False]
    assert ["Connected by" in page.text for page in (session, link)] == [True, False]
