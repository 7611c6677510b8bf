"""Requests whose Host header names no host, and addresses of the API with a slash at the end."""

import http.client
import json
from collections.abc import Callable

import httpx
import pytest

from tests.browser_client import BrowserClient, Site

pytestmark = pytest.mark.once

NO_HOST_NAMES = ["a..b", ".example.com", f"{'x' * 64}.com", f"{'x' * 64}", "a..b:80"]


@pytest.mark.parametrize("host", NO_HOST_NAMES)
@pytest.mark.parametrize("public_url", [None, "https://connect.example.com"], ids=["practice", "real"])
def test_a_host_that_is_no_host_name_is_400(host: str, public_url: str | None, start_site: Callable[..., Site]) -> None:
    site = start_site(**({"public_url": public_url} if public_url else {}))
    for path in ("/", "/connections", "/nowhere", "/docs", "/static/css/base.css", "/readyz"):
        status, text = _get(site, host, path)
        assert (status, 'data-page="problem"' in text) == (400, True), path
    status, text = _get(site, host, "/v1/channel-connections", site.api_key("host"))
    assert (status, json.loads(text)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("host", [*NO_HOST_NAMES, "[::1", "%00"])
def test_the_practice_slack_refuses_a_host_that_is_no_host_name(host: str, site: Site) -> None:
    for path in ("/practice/", "/practice/nowhere", "/practice/api/auth.test", "/practice/static/css/practice.css"):
        status, text = _get(site, host, path)
        assert (status, "own names only" in text) == (421, True), path


def test_a_slash_at_the_end_of_an_api_address_changes_nothing(site: Site, visitor: BrowserClient) -> None:
    headers = {"Authorization": f"ApiKey {site.api_key('slash')}"}
    for path in ("/v1/channel-connections", "/v1/subscribers/bea", "/v2/subscribers", "/v1/integrations"):
        plain, slashed = (visitor.asks("GET", address, headers=headers) for address in (path, f"{path}/"))
        assert (plain.status_code, _code(plain)) == (slashed.status_code, _code(slashed)), path
    assert visitor.asks("GET", "/v1/channel-connections/", headers=headers).status_code == 200
    assert visitor.asks("GET", "/v1/channel-connections//", headers=headers).status_code == 404
    made = visitor.asks("POST", "/v1/integrations/chat/oauth/", headers=headers, json={})
    assert made.status_code == 422


def _code(response: httpx.Response) -> object:
    members = response.json()
    return members.get("code") if isinstance(members, dict) else None


def _get(site: Site, host: str, path: str, key: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", site.settings.port, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    if key:
        connection.putheader("Authorization", f"ApiKey {key}")
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text
