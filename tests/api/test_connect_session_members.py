"""The members of a connect session that a host's page shows: reference, page for the admin, name, refresh address."""

from tests.browser_client import BrowserClient
from tests.desk import HOST, Desk
from tests.pages.test_approval import link_for_admin
from tests.programs import INTEGRATION


def test_a_failed_attempt_has_the_reference_of_its_page(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates()
    page = customer.connects(made["url"], scenario="bad_client_secret")
    assert desk.polls(made).json()["attemptReference"] == page.main.get("data-reference")
    # The page of a connected attempt has one, too.
    connected = customer.connects(made["url"])
    assert desk.polls(made).json()["attemptReference"] == connected.main.get("data-reference")


def test_the_page_for_the_admin_is_known_while_the_approval_is_awaited(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="gil")
    waiting = customer.presses(customer.opens(made["url"]), "ask-admin")
    fresh, other = desk.creates(subscriberId="gil"), desk.creates(subscriberId="hal")
    for session in (made, fresh):
        assert desk.polls(session).json()["approvalUrl"] == link_for_admin(waiting)
    assert "approvalUrl" not in desk.polls(other).json()
    with BrowserClient(desk.site) as admin:
        admin.connects(link_for_admin(waiting))
    for session in (made, fresh):
        assert "approvalUrl" not in desk.polls(session).json()


def test_the_holder_of_a_link_gets_no_approval_of_another_one(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="ida", connectionMode="subscriber")
    customer.presses(customer.opens(made["url"]), "ask-admin")
    url = desk.site.link(INTEGRATION, subscriber_id="ida", mode="subscriber")
    link = {"id": url.rpartition("/")[2].partition(".")[0], "token": url.rpartition("/")[2]}
    found = desk.polls(link).json()
    assert found["state"] == "awaiting_approval"
    assert "approvalUrl" not in found


def test_the_name_and_the_color_of_the_product_are_shown(desk: Desk) -> None:
    made = desk.creates()
    assert desk.polls(made).json()["productName"] == "Northwind"
    assert "accentColor" not in desk.polls(made).json()
    desk.site.change_integration(INTEGRATION, accent_color="#B3261E")
    try:
        assert desk.polls(made).json()["accentColor"] == "#b3261e"
    finally:
        desk.site.change_integration(INTEGRATION, accent_color="")


def test_the_refresh_address_is_shown_while_its_origin_is_allowed(desk: Desk) -> None:
    made = desk.creates(refreshUrl=f"{HOST}/slack")
    assert desk.polls(made).json()["refreshUrl"] == f"{HOST}/slack"
    desk.site.change_integration(INTEGRATION, remove_origins=(HOST,))
    try:
        assert "refreshUrl" not in desk.polls(made, origin=None).json()
        assert desk.sees(made)["refreshUrl"] == f"{HOST}/slack"
    finally:
        desk.site.allow_origin(HOST, INTEGRATION)
