"""Integrations in the console: the sites that each allows."""

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.practice.registration import slack_id
from onboarding.services.integrations.records import NewIntegration
from tests import contract, pictures
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.hooks.sender import Sender
from tests.programs import Program

ORIGIN = "https://app.example"


def listed(page: Page) -> list[str]:
    return [one.get("data-origin", "") for one in page.root.iter("li") if one.get("data-origin")]


def test_operator_allows_an_origin_and_removes_it(site: Site, operator: BrowserClient) -> None:
    page = operator.opens("/integrations/slack-practice")
    assert "No origin is allowed yet." in page.text
    page = operator.presses(page, "add-origin", origin=" HTTPS://App.Example:443/ ")
    assert (page.name, listed(page)) == ("integration", [ORIGIN])
    assert ORIGIN in operator.opens("/integrations").text
    page = operator.presses(page, "add-origin", origin="http://localhost:3000")
    assert listed(page) == ["http://localhost:3000", ORIGIN]
    for _ in range(2):
        address = "/integrations/slack-practice/origins/remove"
        sent = {"csrf_token": page.csrf_token, "origin": ORIGIN}
        assert operator.asks("POST", address, data=sent).status_code == 303
    assert listed(operator.opens(page.url)) == ["http://localhost:3000"]
    with site.runtime.database.reading() as session:
        details = session.scalars(
            text("SELECT detail FROM audit_entries WHERE action = 'integration.changed' ORDER BY at")
        )
        assert list(details)[-1] == f"remove_origins: {ORIGIN}"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "must begin with https://"),
        ("http://app.example", "must use https"),
        ("https://app.example/path", "must be an origin only"),
        ("https://user@app.example", "user name"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https://*.example", "host name"),
    ],
)
def test_text_that_is_no_origin_is_refused_with_its_input_kept(typed: str, said: str, operator: BrowserClient) -> None:
    page = operator.presses(operator.opens("/integrations/slack-practice"), "add-origin", origin=typed)
    assert (page.status, page.name) == (422, "integration")
    assert said in page.text
    assert any(one.get("value") == typed for one in page.root.iter("input") if one.get("name") == "origin")
    assert listed(page) == []


def test_viewer_sees_the_origins_and_no_form(site: Site, visitor: BrowserClient) -> None:
    site.allow_origin(ORIGIN)
    site.sign_in_url("vera@northwind.test", "viewer")
    visitor.signs_in("vera@northwind.test")
    page = visitor.opens("/integrations/slack-practice")
    assert listed(page) == [ORIGIN]
    assert "add-origin" not in page.text
    assert "origins/remove" not in page.text
    assert 'data-integration="slack-practice"' in visitor.opens("/integrations").text


def test_unknown_integration_is_a_page(operator: BrowserClient) -> None:
    assert operator.opens("/integrations/nothing").status == 404


def test_link_of_the_console_says_that_its_return_address_is_not_allowed(operator: BrowserClient) -> None:
    values = {"subscriber_id": "bea", "return_url": f"{ORIGIN}/back", "lifetime": "7", "mode": ""}
    page = operator.presses(operator.opens("/links/new"), "create-link", **values)
    assert page.status == 422
    assert "Return address: The return address is on https://app.example, which is not an allowed origin" in page.text


def _saves(operator: BrowserClient, page: Page, logo: bytes | None = None, **typed: str) -> Page:
    """Fill in and send the form for the look, as a browser does."""
    form = page.form_of("save-branding")
    fields = [one for one in form.iter("input") if one.get("type") not in ("file", "checkbox")]
    values = {one.get("name", ""): one.get("value", "") for one in fields}
    files = {"logo": ("logo.png" if logo else "", logo or b"", "image/png")}
    answer = operator.asks("POST", form.get("action", ""), data={**values, **typed}, files=files)
    if answer.status_code == 303:
        return operator.opens(page.url)
    return Page(page.url, answer.status_code, answer.text, contract.parse(answer.text), answer.headers)


def _shown(page: Page, name: str) -> str | None:
    return next(one.get("value") for one in page.root.iter("input") if one.get("name") == name)


def test_operator_changes_the_look_of_the_pages_of_customers(site: Site, operator: BrowserClient) -> None:
    page = operator.opens("/integrations/slack-practice")
    look = {"name": "Southwind", "accent_color": " #B3261E ", "support_url": "https://help.example"}
    page = _saves(operator, page, pictures.picture(), **look)
    assert (page.heading, _shown(page, "accent_color")) == ("Southwind", "#b3261e")
    start = operator.opens(site.link()).text
    assert all(text in start for text in ("/branding/logos/", "/branding/colors/b3261e.css", "https://help.example"))
    # Without a file, the logo stays.
    page = _saves(operator, page, accent_color="")
    assert ("/branding/logos/" in page.text, _shown(page, "accent_color"), page.status) == (True, "", 200)
    page = _saves(operator, page, remove_logo="y")
    assert "/branding/logos/" not in page.text
    with site.runtime.database.reading() as session:
        query = text("SELECT detail FROM audit_entries WHERE action = 'integration.changed' ORDER BY at DESC LIMIT 3")
        assert list(session.scalars(query)) == ["logo", "accent_color", "name, accent_color, support_url, logo"]


@pytest.mark.parametrize(
    ("logo", "typed", "said"),
    [
        (pictures.SVG, {}, "The logo must be a PNG or JPEG picture."),
        (pictures.picture() + bytes(105_000), {}, "The logo must have at most 100 kB."),
        (None, {"accent_color": "#eeeeee"}, "is dark enough"),
        (None, {"privacy_url": "javascript:alert(1)"}, "The privacy link must begin with https://"),
        (None, {"name": ""}, "The name must have 1 to 100 characters"),
    ],
)
def test_look_that_is_refused_is_explained_with_its_input_kept(
    logo: bytes | None, typed: dict[str, str], said: str, operator: BrowserClient
) -> None:
    page = _saves(
        operator, operator.opens("/integrations/slack-practice"), logo, support_url="https://kept.example", **typed
    )
    assert (page.status, page.name) == (422, "integration")
    assert said in page.text
    assert _shown(page, "support_url") == "https://kept.example"
    assert all(_shown(page, name) == value for name, value in typed.items())
    assert _shown(operator.opens("/integrations/slack-practice"), "support_url") == ""


def test_file_that_is_far_too_large_is_refused_unread(operator: BrowserClient) -> None:
    page = _saves(operator, operator.opens("/integrations/slack-practice"), bytes(200_000))
    assert (page.status, "choose a smaller file" in page.text) == (413, True)


def test_page_shows_the_app_id_and_where_events_are_forwarded(site: Site, operator: BrowserClient) -> None:
    shown = operator.opens("/integrations/slack-practice").text
    assert "Not known yet: Slack’s first event names it" in shown
    assert "No address. Set one with" in shown
    site.change_integration("slack-practice", forward_events="http://127.0.0.1:9/slack/events")
    slack = Sender(site, Clock())
    assert slack.sends(slack.event("message")).status_code == 200
    page = operator.opens("/integrations/slack-practice")
    assert slack_id("A", slack.client_id) in page.text
    [address] = [one for one in page.root.iter("span") if one.get("id") == "forward-events"]
    assert address.text == "http://127.0.0.1:9/slack/events"


def test_pages_say_that_an_app_without_a_signing_secret_gets_no_events(site: Site, operator: BrowserClient) -> None:
    site.runtime.integrations.add(NewIntegration("acme", "Acme", "Development", "1.1", "secret-of-acme"), SHELL)
    assert "None: Slack’s events are refused" in operator.opens("/integrations/acme").text
    program = Program(site, site.api_key("program"))
    with program.client:
        name = program.creates(integrationIdentifier="acme").json()["identifier"]
    assert "no signing secret is stored" in operator.opens(f"/connections/{name}").text
