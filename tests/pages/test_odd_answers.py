"""Slack's answers are data that this server does not control: each one ends in an outcome, alike on both databases."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests.browser_client import BrowserClient, Page, Site
from tests.programs import Program
from tests.slack.wire import GRANT, Wire, answers, wire

SCOPES = ("chat:write", "channels:read")
ANSWER = {**GRANT, "app_id": "A1", "bot_user_id": "U9", "scope": ",".join(SCOPES), "token_type": "bot"}
HALF_EMOJI = "\ud83d"
_REVOKED = "The access that you approved in Slack was revoked again."


@dataclass(frozen=True)
class Install:
    page: Page
    words: str
    #: The documented objects of all connections.
    connections: list[dict[str, Any]]
    #: The methods of Slack that were called, in order.
    calls: list[str]


@dataclass(frozen=True)
class Real:
    """The product with a Slack app that is not of the practice Slack."""

    site: Site
    slack: Wire


@pytest.fixture
def real(start_site: Callable[..., Site]) -> Iterator[Real]:
    with wire() as slack:
        site = start_site(practice="off", slack_url=f"http://127.0.0.1:{slack.port}")
        new = NewIntegration("slack-prod", "Northwind", "Development", "1.1", "client-secret", scopes=SCOPES)
        site.runtime.integrations.add(new, SHELL)
        yield Real(site, slack)


@pytest.fixture
def installs(real: Real) -> Callable[..., Install]:
    """Install with a Slack that answers the exchange with the given body."""
    return lambda body: _install(real.site, real.slack, body)


def _install(site: Site, slack: Wire, body: str) -> Install:
    exchanged, other = answers(body), answers('{"ok": true}')
    slack.says = lambda peer: (exchanged if "/oauth.v2.access " in slack.questions[-1] else other)(peer)
    with BrowserClient(site) as person, _program(site) as program:
        page = person.opens(callback_of(person, site.link("slack-prod", subscriber_id="bea")))
        calls = [question.split()[1].rpartition("/")[2] for question in slack.questions]
        return Install(
            page,
            " ".join("".join(page.main.itertext()).split()),
            program.asks("GET", "/v1/channel-connections").json()["data"],
            calls,
        )


@contextmanager
def _program(site: Site) -> Iterator[Program]:
    program = Program(site, site.api_key("reader"))
    yield program
    program.client.close()


def callback_of(person: BrowserClient, link: str) -> str:
    """Return the address of the callback after Slack's consent page, without opening it."""
    to_slack = person.asks("POST", link, data={"csrf_token": person.opens(link).csrf_token}).headers["Location"]
    return f"/slack/oauth_redirect?code=code-1&state={parse_qs(urlsplit(to_slack).query)['state'][0]}"


@pytest.mark.parametrize(
    ("team", "heading"),
    [
        ({"name": f"Acme {HALF_EMOJI}"}, "Acme"),
        ({"name": "Ac\0me"}, "Acme"),
        ({"name": "a" * 300}, "a" * 255),
        ({"name": "Acme \u202egnp.exe"}, "Acme gnp.exe"),
        ({"name": "\ufeffAcme\u200f"}, "Acme"),
        ({"name": "\u200b\u2800"}, "T0ACMEHQ01"),
        ({"name": ["Acme"]}, "T0ACMEHQ01"),
    ],
    ids=["half an emoji", "NUL", "300 characters", "right to left", "byte order mark", "nothing visible", "list"],
)
def test_name_of_a_workspace_is_cleaned(team: dict[str, Any], heading: str, installs: Callable[..., Install]) -> None:
    done = installs(json.dumps({**ANSWER, "team": {"id": "T0ACMEHQ01", **team}}))
    assert (done.page.outcome, done.page.heading) == ("connected", f"{heading} is connected")
    (one,) = done.connections
    assert (one["workspace"].get("name") or one["workspace"]["id"], one["status"]) == (heading, "healthy")


@pytest.mark.parametrize("sent", ["A" * 101, HALF_EMOJI, "A\0", 7, None, ["A1"]], ids=ascii)
def test_id_that_cannot_be_one_is_left_out(sent: object, installs: Callable[..., Install]) -> None:
    done = installs(json.dumps({**ANSWER, "app_id": sent, "bot_user_id": sent, "authed_user": {"id": sent}}))
    assert done.page.outcome == "connected"
    assert "Connected by" not in done.words
    assert "botUserId" not in done.connections[0]["workspace"]


@pytest.mark.parametrize(
    "team", [{"id": f"T{HALF_EMOJI}"}, {"id": "T" * 101}, {"id": 7}, {}, None, "T1", ["T1"]], ids=ascii
)
def test_grant_without_a_workspace_is_revoked_and_the_page_says_so(
    team: object, installs: Callable[..., Install]
) -> None:
    done = installs(json.dumps({**ANSWER, "team": team}))
    assert (done.page.outcome, done.page.heading) == ("slack_down", "We couldn’t use Slack’s answer")
    assert _REVOKED in done.words
    assert "know whether Slack finished" not in done.words
    assert (done.calls, done.connections) == (["oauth.v2.access", "auth.revoke"], [])
    assert urlsplit(done.page.url).query == ""


def test_user_token_is_used_if_the_bot_token_is_none(installs: Callable[..., Install]) -> None:
    """It would stay valid in Slack, and nobody would know it."""
    person = {"id": "U1", "access_token": "xoxp-1", "scope": "chat:write,channels:read"}
    done = installs(json.dumps({**ANSWER, "access_token": 7, "authed_user": person}))
    assert done.page.outcome == "connected"
    assert done.connections[0]["auth"]["accessToken"] == "xoxp-1"


def test_organization_may_come_with_an_empty_team(installs: Callable[..., Install]) -> None:
    organization = {"enterprise": {"id": "E1", "name": "Acme Group"}, "is_enterprise_install": True}
    done = installs(json.dumps({**ANSWER, **organization, "team": {"id": None, "name": None}}))
    assert (done.page.outcome, done.connections[0]["workspace"]["id"]) == ("org_installed", "E1")
    assert "close this page" not in done.words


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("chat:write, channels:read", list(SCOPES)),
        ("chat:write channels:read", list(SCOPES)),
        (["chat:write", "channels:read"], list(SCOPES)),
        (f"chat:write,chat:write,channels:read,{HALF_EMOJI}", list(SCOPES)),
        (None, None),
        ({"bot": "chat:write"}, None),
    ],
    ids=["comma and space", "space", "list", "twice", "null", "object"],
)
def test_page_never_says_that_granted_permissions_are_missing(
    sent: object, listed: list[str] | None, installs: Callable[..., Install]
) -> None:
    done = installs(json.dumps({**ANSWER, "scope": sent}))
    assert (done.page.outcome, "not granted" in done.words) == ("connected", False)
    assert done.connections[0].get("scopes") == listed


@pytest.mark.parametrize("number", ["1000000000000", "9" * 5000, "1e999", "NaN", '"43200"', "43200.0", "-1"])
def test_lifetime_of_any_size_is_an_outcome(number: str, installs: Callable[..., Install]) -> None:
    body = json.dumps({**ANSWER, "refresh_token": "xoxe-1-r", "expires_in": 4321}).replace("4321", number)
    done = installs(body)
    assert done.page.outcome == "connected"
    assert ("expiresAt" in done.connections[0]["auth"]) == (number not in ("NaN", "-1"))


@pytest.mark.parametrize(
    ("error", "word"),
    [("Bad-Secret", "Bad-Secret"), (f"<b>no</b>{HALF_EMOJI}\0", "<b>no</b>"), ("e" * 5000, "e" * 60), (5, "5")],
    ids=["capitals", "markup", "5000 characters", "number"],
)
def test_unknown_word_of_slack_is_a_refusal_and_named_to_operators(
    error: object, word: str, real: Real, installs: Callable[..., Install]
) -> None:
    done = installs(json.dumps({"ok": False, "error": error}))
    assert (done.page.outcome, done.page.status) == ("config_error", 500)
    assert "Slack refused, and gave a reason that we don’t know yet." in done.words
    with BrowserClient(real.site) as ada:
        ada.signs_in("ada@northwind.test")
        shown = ada.opens(f"/attempts/{done.page.main.get('data-reference')}")
        assert f"Slack refused with the error code {word}:" in "".join(shown.main.itertext())


@pytest.mark.parametrize("error", [None, "", "\0"], ids=ascii)
def test_refusal_without_a_word_is_no_answer(error: object, installs: Callable[..., Install]) -> None:
    assert installs(json.dumps({"ok": False, "error": error})).page.outcome == "slack_down"


@pytest.mark.parametrize(
    "webhook",
    [[], {"url": "https://hooks.slack.com/x", "channel": ["a"], "channel_id": 5}, {"url": HALF_EMOJI}],
    ids=ascii,
)
def test_webhook_with_odd_members_does_not_stop_an_install(webhook: object, installs: Callable[..., Install]) -> None:
    assert installs(json.dumps({**ANSWER, "incoming_webhook": webhook})).page.outcome == "connected"
