"""Actions of a person in a browser, by the hooks of the pages (data-page, data-action, data-outcome)."""

from playwright.sync_api import Locator, Page, expect

from tests.browser_client import Site


class Navigator:
    """One person with one browser tab."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site = site
        self.page = page

    def opens(self, address: str) -> None:
        self.page.goto(address if "://" in address else f"{self.site.settings.origin}{address}")

    def presses(self, action: str) -> None:
        self.page.locator(f"[data-action={action}]").first.click()

    def is_on(self, name: str) -> None:
        """Wait for a page, with its style sheets: a test may measure it next."""
        expect(self.page.locator("main")).to_have_attribute("data-page", name)
        self.page.wait_for_load_state()

    def sees_outcome(self, outcome: str, within_seconds: float = 5) -> None:
        expect(self.page.locator("main")).to_have_attribute("data-outcome", outcome, timeout=within_seconds * 1000)

    def allows(self, workspace: str | None = None, scenario: str | None = None) -> None:
        """Press Allow on the practice Slack's consent page, after picking a scenario from its menu."""
        self.is_on("practice-consent")
        if workspace:
            self.page.locator(f"input[name=workspace][value={workspace}]").check()
        if scenario:
            self.page.locator("summary", has_text="Make it go wrong").click()
            self.page.locator("select[name=scenario]").select_option(scenario)
        self.presses("allow")

    def reaches(self, target: Locator) -> None:
        """Move the focus to an element with the Tab key alone, from its current position."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if target.evaluate("node => node === document.activeElement"):
                return
        raise AssertionError(f"the Tab key does not reach {target} on {self.page.url}")

    def presses_by_keyboard(self, target: Locator) -> None:
        self.reaches(target)
        self.page.keyboard.press("Enter")

    @property
    def width(self) -> int:
        """Return the width of the page's layout, in CSS pixels; more than the window means horizontal scroll."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


class Customer(Navigator):
    """Person with a link."""

    def connects(self, link: str, workspace: str | None = None, scenario: str | None = None) -> None:
        """Open a link, continue to Slack, and allow: the page is then the result."""
        self.opens(link)
        self.presses("connect")
        self.allows(workspace, scenario)

    def asks_their_admin(self, link: str) -> str:
        """Open a link, say that the person cannot approve apps, and return the address for the admin."""
        self.opens(link)
        self.presses("ask-admin")
        self.sees_outcome("awaiting_approval")
        return self.page.locator("#approval-url").inner_text()


class Operator(Navigator):
    """Person who is signed in to the console."""

    def invitation(self) -> str:
        return self.site.sign_in_url("ada@northwind.test")

    def signs_in(self) -> None:
        self.opens(self.invitation())
        self.page.get_by_role("button", name="Sign in").click()
        self.is_on("connections")
