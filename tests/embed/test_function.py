"""SlackConnect.open(), the popup for a control of the page's own, and how its promise ends."""

from collections.abc import Callable

import pytest

from tests.browser.navigator import Customer
from tests.embed.host_page import ELEMENT, HostPage
from tests.embed.host_site import HostSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., HostPage]

_BUTTON = "<button>Connect</button>"
_SCRIPT = """<script>addEventListener("click", async ({ target }) => {
  if (target.localName !== "button") return;
  window.ends = undefined;
  window.ends = await SlackConnect.open({ sessionUrl: "/slack-session" });
})</script>"""


class FunctionPage(HostPage):
    """A page with a button that calls the function."""

    def opens(self, body: str = _BUTTON, **shown: object) -> "FunctionPage":
        super().opens(body, head=self.host.script + _SCRIPT, **shown)
        return self

    def presses(self) -> Customer:
        with self.page.expect_popup() as opened:
            self.page.get_by_role("button", name="Connect", exact=True).click()
        return Customer(self.host.product, opened.value)

    def ends(self, result: str) -> None:
        """Wait for the promise's result."""
        self.page.wait_for_function("window.ends")
        assert self.page.evaluate("window.ends.result") == result


@pytest.fixture
def page(host: HostSite, visit: Visit) -> FunctionPage:
    return FunctionPage(host, visit().page)


def test_it_opens_the_popup_from_a_control_of_the_page(page: FunctionPage) -> None:
    popup = page.opens().presses()
    popup.presses("connect")
    popup.allows()
    page.ends("connected")
    assert page.page.evaluate("window.ends.connection.workspaceName") == "Acme HQ"
    # The element's states are not those of a session.
    assert page.page.evaluate("window.ends.state") in (None, "finished")


def test_a_customer_who_is_connected_can_still_reconnect_in_the_popup(page: FunctionPage) -> None:
    popup = page.opens().presses()
    popup.presses("connect")
    popup.allows()
    page.ends("connected")
    popup.page.close()
    popup = page.presses()
    page.ends("connected")
    popup.sees_outcome("already_connected")
    popup.presses("connect")
    popup.allows()
    popup.sees_outcome("reconnected")


def test_an_element_beside_it_shows_the_connection_all_the_time(page: FunctionPage) -> None:
    first = page.opens(_BUTTON + ELEMENT).presses()
    first.presses("connect")
    first.allows()
    page.sees("connected")
    page.got_only("connected")
    page.opens(_BUTTON + ELEMENT)
    page.sees("connected")
    popup = page.presses()
    page.ends("connected")
    popup.presses("other-workspace")
    popup.allows(workspace="T0ACMETEST")
    page.element.get_by_text("Acme Test").first.wait_for()
    page.got_only("connected")
    assert "waiting" not in page.states[5:]


def test_a_host_that_fails_ends_it_and_closes_the_window(host: HostSite, page: FunctionPage) -> None:
    host.refusal = 500
    popup = page.opens().presses()
    page.ends("failed")
    assert popup.page.is_closed()
    host.refusal = None
    popup = page.presses()
    popup.presses("connect")
    popup.allows()
    page.ends("connected")
