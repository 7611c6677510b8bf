"""Security and caching headers of every response, over the whole URL map."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from flask import Blueprint
from werkzeug.routing import Rule

from onboarding import web
from onboarding.http import security_headers
from onboarding.http.route_access import public
from onboarding.http.security_headers import HeaderPolicy
from tests.browser_client import BrowserClient, Site

pytestmark = pytest.mark.once

#: Blueprints whose pages a popup may pass through on its way to Slack and back.
INSTALL_FLOW = {"callback", "connect", "installs", "manage", "playground", "results", "setup"}
#: Blueprints whose files pages of other sites load.
EMBEDDED = {"button", "script"}
#: Views for Slack's signed requests.
SIGNED = {"slack_events.receive"}
NAMES = (
    "Cache-Control",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
)
PAGE = ("no-store", "same-origin", "same-origin", "nosniff", "DENY")
INSTALL_PAGE = ("no-store", "same-origin", "unsafe-none", "nosniff", "DENY")
CALLBACK = ("no-store", "no-referrer", "unsafe-none", "nosniff", "DENY")
SIGN_IN_CALLBACK = ("no-store", "no-referrer", "same-origin", "nosniff", "DENY")
API = ("no-store", "no-referrer", None, "nosniff", "DENY")
FILE = ("public, max-age=300", None, None, "nosniff", None)
#: The test names no logo and no color, so a GET is answered with a page.
FINGERPRINTED_DATA = ("public, max-age=31536000, immutable", None, None, "nosniff", "DENY")
FINGERPRINTED_FILE = ("public, max-age=31536000, immutable", None, None, "nosniff", None)
#: The test asks for no session, so a GET is answered with a page.
CARD = ("no-store", "no-referrer", None, "nosniff", "DENY")
EMBEDDED_FILE = ("public, max-age=300", None, None, "nosniff", "DENY")


def test_every_answer_has_the_headers_of_its_blueprint(site: Site, operator: BrowserClient) -> None:
    walked = 0
    for rule, answer in _answers(site, operator):
        where = (rule.rule, answer.request.method, answer.status_code)
        assert _headers(answer) == _expected(rule, answer.request.method), where
        is_file = rule.endpoint.partition(".")[0] in EMBEDDED or _headers(answer) == FINGERPRINTED_DATA
        is_for_programs = rule.rule.startswith(("/v1/", "/v2/")) or rule.endpoint in SIGNED
        _check_content_security_policy(answer, is_page=not is_file and not is_for_programs)
        walked += 1
    assert walked > len(list(site.app.url_map.iter_rules()))


@pytest.mark.parametrize(
    ("method", "address", "status", "expected"),
    [
        ("GET", "/nowhere", 404, PAGE),
        ("PUT", "/connections", 405, PAGE),
        ("GET", "/static/css/nothing.css", 404, PAGE),
        ("GET", "/static/css/base.css", 200, FILE),
        ("GET", "/static/../app.py", 404, PAGE),
        ("GET", "/embed/v1/connect.mjs", 404, PAGE),
        ("GET", "/embed/card?session=cs_unknown", 404, PAGE),
        ("GET", "/embed/button.svg?theme=pink", 400, PAGE),
        ("POST", "/embed/button.svg", 405, PAGE),
        ("GET", "/v1", 404, API),
        ("GET", "/v2/nowhere", 404, API),
        ("GET", "/v10", 404, PAGE),
        ("PUT", "/v1/channel-connections", 405, API),
        ("OPTIONS", "/v1/nowhere", 404, API),
        ("GET", "/v1/" + "a" * 9000, 414, API),
    ],
)
def test_an_address_without_a_view_has_the_headers_too(
    method: str, address: str, status: int, expected: tuple[str | None, ...], visitor: BrowserClient
) -> None:
    answer = visitor.asks(method, address)
    assert (answer.status_code, _headers(answer)) == (status, expected)
    assert ("Content-Security-Policy" in answer.headers) == (expected != FILE)
    assert answer.headers.get("Content-Type", "").startswith("application/json") == (expected == API)


def test_files_that_a_page_names_are_kept_for_a_year(site: Site, visitor: BrowserClient) -> None:
    page = visitor.opens(site.link())
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(named) > 5
    for address in named:
        answer = visitor.asks("GET", address)
        assert (answer.status_code, _headers(answer)) == (200, FINGERPRINTED_FILE), address
        again = visitor.asks("GET", address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, _headers(again)) == (304, FINGERPRINTED_FILE), address
        # As during an update, when the page comes from another version.
        other = visitor.asks("GET", f"{address}0")
        assert (other.status_code, _headers(other)) == (200, FILE), address
    assert len(set(named)) == len({address.partition("=")[2] for address in named}), "the content makes the fingerprint"


def test_only_pages_with_a_form_to_slack_let_forms_leave(site: Site, operator: BrowserClient) -> None:
    form_targets = {
        address: _directives(operator.asks("GET", address))["form-action"]
        for address in (site.link(), "/slack/install", "/connections", "/sign-in", "/nowhere")
    }
    assert list(form_targets.values()) == ["'self' https:", "'self' https:", "'self'", "'self'", "'self'"]


@pytest.mark.parametrize("address", ["/sign-in", "/nowhere", "/static/css/base.css", "/v1/channel-connections"])
def test_only_https_deployments_require_https(address: str, start_site: Callable[..., Site]) -> None:
    for public_url, expected in [("https://connect.example.com", "max-age=31536000"), (None, None)]:
        live = start_site(**({"public_url": public_url} if public_url else {}))
        with live.app.test_client().get(address, base_url=live.settings.origin) as answer:
            assert answer.headers.get("Strict-Transport-Security") == expected


def test_a_policy_allows_framing_by_the_origins_that_it_names(site: Site) -> None:
    """No blueprint of the product allows it, see the test above."""
    card = Blueprint("card_of_this_test", __name__)
    origins = ["https://host.example", "https://other.example"]
    security_headers.set_policy(card, HeaderPolicy(framing_origins=lambda: origins))
    card.add_url_rule("/card", view_func=public(lambda: "a card"), endpoint="show")
    app = web.create_app(site.settings, site.runtime)
    app.register_blueprint(card)
    with app.test_client() as client:
        framed = client.get("/card", base_url=site.settings.origin)
        origins.clear()
        unframed = client.get("/card", base_url=site.settings.origin)
    assert "frame-ancestors https://host.example https://other.example;" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    assert "frame-ancestors 'none';" in unframed.headers["Content-Security-Policy"]
    assert unframed.headers["X-Frame-Options"] == "DENY"


def _answers(site: Site, client: BrowserClient) -> Iterator[tuple[Rule, httpx.Response]]:
    for rule in site.app.url_map.iter_rules():
        # Sign-out comes last, so that the responses of the console are those for operators.
        if rule.endpoint == "operators.out":
            continue
        values = dict.fromkeys(rule.arguments, "css/base.css" if rule.endpoint == "static" else "x1")
        for method in sorted(rule.methods or set()):
            built = rule.build(values)
            assert built is not None
            yield rule, client.asks(method, built[1])
    out = next(rule for rule in site.app.url_map.iter_rules() if rule.endpoint == "operators.out")
    yield out, client.asks("POST", out.rule)


def _expected(rule: Rule, method: str) -> tuple[str | None, ...]:
    if rule.endpoint == "static":
        return FILE
    if rule.rule.startswith(("/v1/", "/v2/")) or rule.endpoint in SIGNED:
        return API
    blueprint = rule.endpoint.partition(".")[0]
    if blueprint in EMBEDDED:
        return EMBEDDED_FILE
    if blueprint == "branding" and method == "OPTIONS":
        return FINGERPRINTED_DATA
    if blueprint == "card" and method == "OPTIONS":
        return CARD
    if blueprint == "callback":
        return CALLBACK
    if blueprint == "slack_sign_in":
        return SIGN_IN_CALLBACK
    return INSTALL_PAGE if blueprint in INSTALL_FLOW else PAGE


def _headers(answer: httpx.Response) -> tuple[str | None, ...]:
    return tuple(answer.headers.get(name) for name in NAMES)


def _check_content_security_policy(answer: httpx.Response, is_page: bool) -> None:
    if _headers(answer) == FILE:
        assert "Content-Security-Policy" not in answer.headers
        return
    directives = _directives(answer)
    assert (directives["default-src"], directives["frame-ancestors"]) == ("'none'", "'none'")
    assert ("script-src" in directives) == is_page
    assert ("form-action" in directives) == is_page


def _directives(answer: httpx.Response) -> dict[str, str]:
    parts = (directive.strip().partition(" ") for directive in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in parts}
