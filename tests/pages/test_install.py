"""An install, from a link to the list."""

from tests.browser_client import BrowserClient, Site


def test_a_customer_connects_a_workspace_by_link(site: Site, visitor: BrowserClient) -> None:
    page = visitor.connects(site.link())
    assert (page.status, page.outcome) == (200, "connected")


def test_an_operator_chooses_the_customer_of_the_connection(operator: BrowserClient) -> None:
    consent = operator.presses(operator.opens("/slack/install"), "connect")
    setup = operator.allows(consent)
    assert setup.name == "setup"
    filled = {
        "connection_mode": "subscriber",
        "subscriber_id": "cy",
        "contexts-0-type": "tenant",
        "contexts-0-id": "c1",
    }
    page = operator.presses(setup, "save", **filled)
    assert page.outcome == "connected"
    listed = operator.opens("/connections")
    assert "cy" in listed.text
