"""Integrations in the console: the sites that each allows."""

import pytest
from sqlalchemy import text

from tests.browser_client import BrowserClient, Page, Site

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
        token = {
            "csrf_token": next(
                one.get("value", "") for one in page.root.iter("input") if one.get("name") == "csrf_token"
            )
        }
        address = "/integrations/slack-practice/origins/remove"
        assert operator.asks("POST", address, data={"origin": ORIGIN, **token}).status_code == 303
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
