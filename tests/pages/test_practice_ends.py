"""Adding a real Slack app ends practice mode for everything new, at once."""

import pytest
from sqlalchemy import event

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests.browser_client import BrowserClient, Site


def test_real_integration_ends_practice_for_new_attempts(site: Site, visitor: BrowserClient) -> None:
    open_before = visitor.opens(site.link())
    _add_real_app(site)
    page = visitor.presses(open_before, "connect")
    assert (page.status, "Practice mode is over" in page.text) == (400, True)
    assert visitor.cookies.get("session") is not None
    assert not [name for name in visitor.cookies if name.startswith("attempt_")]


def test_practice_slack_refuses_everybody_after_a_real_app_was_added(site: Site, visitor: BrowserClient) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    assert consent.name == "practice-consent"
    _add_real_app(site)
    assert visitor.opens(consent.url).name != "practice-consent"


@pytest.mark.parametrize("host", ["connect.example.com", "localhost", "a b"])
def test_host_is_not_checked_after_a_real_app_was_added(site: Site, visitor: BrowserClient, host: str) -> None:
    asked = {"Host": host}
    assert visitor.asks("GET", "/sign-in", headers=asked).status_code in (302, 421)
    _add_real_app(site)
    assert visitor.asks("GET", "/sign-in", headers=asked).status_code == 200
    assert visitor.asks("GET", "/slack/oauth_redirect?state=a", headers=asked).status_code == 303


def test_right_host_name_needs_no_database_query(site: Site, visitor: BrowserClient) -> None:
    statements: list[str] = []
    engine = site.runtime.database.engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert visitor.asks("GET", "/static/css/tokens.css").status_code == 200
    assert statements == []
    assert visitor.asks("GET", "/static/css/tokens.css", headers={"Host": "evil.example.com"}).status_code == 421
    assert statements != []


def _add_real_app(site: Site) -> None:
    new = NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s", scopes=("chat:write",))
    site.runtime.integrations.add(new, SHELL)


@pytest.mark.once
def test_unknown_page_of_the_practice_slack_leads_back(visitor: BrowserClient) -> None:
    page = visitor.opens("/practice/nowhere")
    assert (page.status, page.heading) == (404, "Page not found")
    assert "spelling" not in page.text
    assert [one.get("href") for one in page.main.iter("a")] == ["/practice/"]
    assert visitor.asks("POST", "/practice/oauth/v2/nowhere").status_code == 404
    assert "can’t be opened this way" in visitor.opens("/practice/remove").text


def test_console_leads_to_the_practice_slack_and_its_reset(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    console = operator.opens("/connections")
    start = next(one for one in console.root.iter("a") if one.get("data-action") == "practice-start")
    first = operator.opens(start.get("href", ""))
    assert operator.presses(first, "try").main.get("data-page") == "connect-start"
    assert "/practice/" in first.hrefs
    practice = operator.opens("/practice/")
    assert "remove-app" in practice.text
    assert "remove-app" not in operator.presses(practice, "reset").text


def test_customers_page_does_not_lead_away(site: Site, visitor: BrowserClient) -> None:
    assert "practice-start" not in visitor.opens(site.link()).text
