"""Actions of a person on a host's page, and what that page's own script has recorded."""

from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.navigator import Customer
from tests.embed.host_site import HostSite

#: The element that most tests show.
ELEMENT = '<slack-connect session-url="/slack-session"></slack-connect>'
#: A script of the page that presses the element's control, and writes the element's states to the console.
PRESSES_ITSELF = """<script>addEventListener("statechange", ({ target, detail }) => {
  console.log(detail.state);
  if (detail.state === "disconnected") setTimeout(() => target.shadowRoot.querySelector(".main").click());
});</script>"""


class HostPage:
    """One tab with the page of a host."""

    def __init__(self, host: HostSite, page: Page) -> None:
        self.host, self.page = host, page

    def opens(self, body: str = ELEMENT, **shown: Any) -> "HostPage":
        self.page.goto(self.host.shows(body, **shown))
        return self

    @property
    def element(self) -> Locator:
        return self.page.locator("slack-connect")

    @property
    def main(self) -> Locator:
        """Return the main control of the element."""
        return self.element.locator(".main").first

    def sees(self, state: str, within_seconds: float = 5) -> None:
        """Wait until the element shows a state."""
        # A page that is just loading has no element yet.
        script = "state => document.querySelector('slack-connect')?.state === state"
        try:
            self.page.wait_for_function(script, arg=state, timeout=within_seconds * 1000)
        except Exception as problem:
            found = self.page.evaluate("document.querySelector('slack-connect')?.state")
            raise AssertionError(f"the element shows {found!r}, not {state!r}; events: {self.events}") from problem

    def opens_popup(self, name: str = "Connect Slack") -> Customer:
        """Press the control with this text and return the person in the popup."""
        with self.page.expect_popup() as opened:
            self.element.get_by_text(name, exact=True).first.click()
        return Customer(self.host.product, opened.value)

    def connects(self, name: str = "Connect Slack", **choices: str) -> Customer:
        """Press the control, and walk through the popup to Slack's answer."""
        popup = self.opens_popup(name)
        popup.presses("connect")
        popup.allows(**choices)
        return popup

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the events that the page got, without the changes of state."""
        found: list[dict[str, Any]] = self.page.evaluate("window.events")
        return [event for event in found if event["type"] != "statechange"]

    @property
    def states(self) -> list[str]:
        """Return the states that the page was informed of, in order."""
        found: list[dict[str, Any]] = self.page.evaluate("window.events")
        return [event["state"] for event in found if event["type"] == "statechange"]

    def is_seen_again(self) -> None:
        """Bring the page to the front, as the person does. It asks at most once in a second."""
        self.page.wait_for_timeout(1100)
        self.page.evaluate("dispatchEvent(new Event('focus'))")

    def got_only(self, kind: str) -> dict[str, Any]:
        """Return the one event that the page got."""
        self.page.wait_for_load_state()
        events = self.events
        assert [event["type"] for event in events] == [kind], events
        return events[0]
