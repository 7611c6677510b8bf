"""Deny by default, over the whole map of addresses."""

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import inspect, text
from werkzeug.routing import Rule

from onboarding import ids
from onboarding.api import operations
from onboarding.callers import SHELL
from onboarding.services.webhooks.records import NewWebhookEndpoint
from tests.browser_client import BrowserClient, Site

pytestmark = pytest.mark.once

#: Every view that answers somebody who is not signed in. A new one is a decision, made here.
PUBLIC = {
    "static",
    "branding.logo",  # a picture that customers' pages show, by its digest
    "branding.colors",  # computes tones of the color in its address
    "card.show",  # shows nothing: the session's token stays in the browser
    "button.svg",  # files for pages of other sites, as are the next three
    "button.png",
    "script.connect",
    "script.types",
    "api.options",  # names the methods of an API path to browsers, which send no key with that request
    "openapi.docs",  # what programmers read, and no more than that
    "openapi.openapi",
    "callback.oauth_redirect",  # bound to the attempt's cookie
    "connect.start",  # guarded by the link's signature, as are the next two
    "connect.start_submit",
    "connect.approval_submit",
    "manage.show",  # guarded by the link's signature and, for a link, by the attempt's cookie, as are the next three
    "manage.disconnect",
    "manage.disconnect_submit",
    "manage.disconnected",
    "probes.alive",
    "probes.ready",
    "home.index",
    "home.try_submit",  # practice mode only
    "results.ended",  # says which outcome, of three without an attempt
    "results.elsewhere",  # guarded by a signed token, as is the next
    "results.elsewhere_submit",
    "results.unstored",  # says one of three sentences, to a browser with the attempt's cookie
    "results.show",  # bound to the attempt's cookie, as are all below
    "results.status",
    "results.replace_submit",
    "results.choose_again_submit",
    "setup.form",
    "setup.form_submit",
    "setup.cancel_submit",
    "slack_errors.show",  # explains Slack's error codes
    "operators.needed",
    "operators.confirm",  # guarded by the one-time token
    "operators.confirm_submit",
    "operators.out",
    "operators.signed_out",
    "slack_sign_in.begin",
    "slack_sign_in.begin_submit",
    "slack_sign_in.callback",  # bound to the session's cookie, as is the next
    "slack_sign_in.refused",
}
#: Views that answer only requests that Slack has signed, and all others with 401.
SIGNED = {"slack_events.receive"}
#: Views that a viewer of the console may open as well.
FOR_VIEWERS = {
    "api_keys.index",
    "audit.index",
    "audit.export",
    "operators.index",
    "operators.show",
    "attempts.diagnose",
    "attempts.diagnose_submit",  # changes nothing; it is a form because the pasted text belongs in no address
    "attempts.index",
    "attempts.show",
    "connections.index",
    "exports.connections",
    "connections.show",
    "connections.disconnected",
    "integrations.index",
    "integrations.show",
    "links.index",
    "webhook_deliveries.show",
    "webhooks.index",
    "webhooks.show",
}


def test_every_address_is_shut_unless_it_is_public_by_name(site: Site, visitor: BrowserClient) -> None:
    asked = 0
    for rule in site.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            answer = visitor.asks(method, _filled(rule, {}))
            shut = answer.status_code == 401
            assert shut == (rule.endpoint not in PUBLIC), (method, rule.rule, answer.status_code)
            asked += 1
    assert asked > len(PUBLIC)


def test_viewer_is_shut_out_of_all_that_is_not_shown_to_viewers(site: Site, visitor: BrowserClient) -> None:
    site.sign_in_url("vera@northwind.test", "viewer")
    token = visitor.signs_in("vera@northwind.test").csrf_token
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC | SIGNED or rule.rule.startswith(("/v1/", "/v2/")):
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            answer = visitor.asks(method, _filled(rule, {}), data={"csrf_token": token} if method == "POST" else None)
            assert (answer.status_code == 403) == (rule.endpoint not in FOR_VIEWERS), (method, rule.rule)


def test_every_endpoint_for_programs_wants_a_key(site: Site, operator: BrowserClient) -> None:
    """A signed-in operator is nobody there: the session's cookie opens no endpoint."""
    asked = 0
    for rule in site.app.url_map.iter_rules():
        if rule.rule.startswith(("/v1/", "/v2/")):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                answer = operator.asks(method, _filled(rule, {}), json={})
                assert (answer.status_code, answer.json()["code"]) == (401, "key_missing"), (method, rule.rule)
                asked += 1
    assert asked == len(operations.SCOPES)


def test_public_list_names_only_what_exists(site: Site) -> None:
    assert {rule.endpoint for rule in site.app.url_map.iter_rules()} >= PUBLIC


def test_ended_session_opens_nothing(site: Site, operator: BrowserClient) -> None:
    cookie = operator.cookies["session"]
    site.runtime.sign_ins.sign_out(_session_token(site, cookie))
    with BrowserClient(site) as other:
        answer = other.asks("GET", "/connections", headers={"Cookie": f"session={cookie}"})
    assert answer.status_code == 401


def test_nothing_that_a_get_does_changes_anything(site: Site, operator: BrowserClient) -> None:
    """Mail scanners and prefetch open links. Slack's callback is the exception: it is bound to the browser."""
    environment_id = site.runtime.environments.first().id
    endpoint = site.runtime.webhooks.endpoints.create(
        environment_id, NewWebhookEndpoint("https://app.example/hook"), SHELL
    )
    operator.connects(site.link())
    waiting = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    site.api_key("seen")
    known = {
        "extension": ["csv", "json"],
        "run_id": ["blk_1"],
        "token": [
            site.link().rsplit("/", 1)[1],
            site.sign_in_url("bob@northwind.test").rsplit("/", 1)[1],
        ],
        "attempt_id": [waiting.url.rsplit("/", 1)[1]],
        "identifier": [_first_connection(site)],
        "reference": [ids.attempt_reference(waiting.url.rsplit("/", 1)[1])],
        "outcome": ["no_state", "state_unknown", "storage_error"],
        "filename": ["css/tokens.css"],
        "link_id": [site.runtime.links.newest(environment_id)[0].id],
        "endpoint_id": [endpoint.id],
        "delivery_id": [site.runtime.webhooks.endpoints.test(environment_id, endpoint.id)],
        "key_id": [site.runtime.api_keys.all_of("Development")[0].id],
        "operator_id": [one.id for one in site.runtime.operators.list_all()],
        "team_id": ["T0ACMEHQ01"],
        # For the API's endpoints, which all refuse without a key.
        "subscriber_id": ["x"],
        "type": ["x"],
        "id": ["x"],
        "page": ["contexts"],
        "digest": ["0" * 64],
        "color": ["3f4fd0"],
    }
    before, calls = _everything(site), len(site.slack.calls())
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "callback.oauth_redirect":
            continue
        for values in _choices(rule, known):
            for method in ("GET", "HEAD"):
                status = operator.asks(method, _filled(rule, values)).status_code
                # Two pages are there to say that something of ours did not work.
                assert status < 500 or rule.endpoint in ("results.unstored", "results.ended"), rule.rule
    assert _everything(site) == before
    assert len(site.slack.calls()) == calls


def _session_token(site: Site, cookie: str) -> str:
    reader = SecureCookieSessionInterface().get_signing_serializer(site.app)
    assert reader is not None
    token: str = reader.loads(cookie)["sign_in"]
    return token


def _filled(rule: Rule, values: dict[str, str]) -> str:
    adapter = rule.map.bind("")
    path: str = adapter.build(rule.endpoint, {name: values.get(name, "x1") for name in rule.arguments}, method=None)
    return path


def _choices(rule: Rule, known: dict[str, list[str]]) -> list[dict[str, str]]:
    names = sorted(rule.arguments)
    if not names:
        return [{}]
    return [dict.fromkeys(names, "x") | {names[-1]: value} for value in known[names[-1]]]


def _first_connection(site: Site) -> str:
    with site.runtime.database.reading() as session:
        found: str = session.execute(text("SELECT identifier FROM channel_connections")).scalar_one()
    return found


def _everything(site: Site) -> dict[str, list[str]]:
    with site.runtime.database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in names}  # noqa: S608  # names of ours
    return {name: sorted(map(repr, found)) for name, found in rows.items()}
