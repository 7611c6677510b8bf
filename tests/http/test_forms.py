"""Which requests a form is accepted from: browsers without cookies, other sites, proxies that change `Host`."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

import httpx
import pytest

from tests import contract
from tests.browser_client import BrowserClient, Page, Site, client_of
from tests.test_routes_are_guarded import PUBLIC

pytestmark = pytest.mark.once

HTTPS = "https://connect.example.com"


def without_cookies(site: Site, page: Page, action: str) -> httpx.Response:
    """Press a button of `page` in a browser that keeps no cookie, and follow the redirects."""
    form = page.form_of(action)
    values = {field.get("name", ""): field.get("value", "") for field in form.iter("input")}
    client = client_of(site)
    response = client.post(form.get("action", ""), data=values)
    for _ in range(5):
        if response.status_code != 303:
            break
        client.cookies.clear()
        response = client.get(response.headers["Location"])
    client.close()
    return response


def main_of(response: httpx.Response) -> Element:
    main = contract.check(response).find(".//main")
    assert main is not None
    return main


@pytest.mark.parametrize("action", ["connect", "ask-admin"])
def test_a_browser_that_keeps_no_cookies_gets_an_explanation_on_a_link(
    action: str, site: Site, visitor: BrowserClient
) -> None:
    link = site.link()
    response = without_cookies(site, visitor.opens(link), action)
    assert (response.status_code, main_of(response).get("data-page")) == (400, "cookies-needed")
    assert link in response.text
    assert "127.0.0.1" in response.text
    assert site.slack.calls() == []


def test_a_browser_that_keeps_no_cookies_gets_an_explanation_at_sign_in(site: Site, visitor: BrowserClient) -> None:
    address = site.sign_in_url("ada@northwind.test")
    response = without_cookies(site, visitor.opens(address), "sign-in")
    assert (response.status_code, main_of(response).get("data-page")) == (400, "cookies-needed")
    assert address in response.text
    assert visitor.presses(visitor.opens(address), "sign-in").status == 200


def test_a_browser_that_keeps_no_cookies_gets_an_explanation_on_the_first_page(
    site: Site, visitor: BrowserClient
) -> None:
    response = without_cookies(site, visitor.opens("/"), "try")
    assert (response.status_code, main_of(response).get("data-page")) == (400, "cookies-needed")


def test_another_form_without_a_session_cookie_names_the_cookie(site: Site) -> None:
    with BrowserClient(site) as stranger:
        response = stranger.asks("POST", "/slack/result/att_1/replace", data={"csrf_token": "x"})
    assert (response.status_code, main_of(response).get("data-page")) == (400, "cookies-needed")


#: These check a token of their own, or none: Slack and the API's callers send no cookie.
EXEMPT = {"setup.form_submit", "slack_events.receive"}


def test_no_form_answers_a_browser_without_cookies_in_any_other_way(site: Site) -> None:
    asked = 0
    for rule in site.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith(("/v1/", "/v2/")) or rule.endpoint in EXEMPT:
            continue
        address = re.sub("<[^>]+>", "x", rule.rule)
        with client_of(site) as client:
            response = client.post(address, data={"csrf_token": "x"})
            while response.status_code == 303:
                client.cookies.clear()
                response = client.get(response.headers["Location"])
        expected = (400, "cookies-needed") if rule.endpoint in PUBLIC else (401, "sign-in")
        assert (response.status_code, main_of(response).get("data-page")) == expected, rule.rule
        asked += 1
    assert asked > 20


@pytest.mark.parametrize("action", ["connect", "ask-admin"])
def test_a_lost_session_cookie_costs_one_more_press(action: str, site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    page = visitor.opens(link)
    visitor.cookies.clear()
    again = visitor.presses(page, action)
    assert (again.name, again.url) == ("connect-start", link)
    assert visitor.presses(again, action).name in ("practice-consent", "approval")


def test_cookies_allowed_after_the_page_said_so_lead_back_to_the_link(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    page = visitor.opens(link)
    visitor.cookies.clear()
    moved = visitor.asks("POST", link, data={"csrf_token": "x"}).headers["Location"]
    visitor.cookies.clear()
    assert visitor.opens(moved).name == "cookies-needed"
    assert visitor.opens(moved).url == page.url


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "internal:8000"},
        {"Host": "internal:8000", "Origin": HTTPS},
        {"Host": "connect.example.com", "Origin": HTTPS},
        {"Host": "internal:8000", "Referer": f"{HTTPS}/connect/x"},
        {"Host": "other.example.com", "Origin": "https://other.example.com"},
        {"Origin": "null"},
    ],
    ids=["no referrer", "changed host", "changed host and origin", "origin", "referrer", "second name", "null origin"],
)
def test_forms_work_over_tls_even_if_a_proxy_changes_the_host(
    headers: dict[str, str], start_site: Callable[..., Site]
) -> None:
    assert _sign_out(start_site(public_url=HTTPS), headers).status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "http://connect.example.com.evil.example", "file://", "x"])
def test_a_form_of_another_site_is_refused_despite_a_valid_token(origin: str, start_site: Callable[..., Site]) -> None:
    response = _sign_out(start_site(public_url=HTTPS), {"Origin": origin})
    assert response.status_code == 400
    assert "another site" in response.text


def _sign_out(site: Site, headers: dict[str, str]) -> httpx.Response:
    """Send a form with a valid token as a server with TLS of its own receives it."""
    with site.app.test_client(use_cookies=False) as client:
        page = client.get(site.sign_in_url("ada@northwind.test"), base_url=HTTPS)
        form = contract.parse(page.text)
        token = next(field for field in form.iter("input") if field.get("name") == "csrf_token").get("value", "")
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        headers = {**headers, "Cookie": cookie}
        sent = client.post("/sign-out", base_url=HTTPS, headers=headers, data={"csrf_token": token})
        return httpx.Response(sent.status_code, text=sent.text)
