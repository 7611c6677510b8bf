"""Slack's responses are checked before anything is stored, and a token that cannot be stored is revoked."""

import gzip
import json
import zlib

import pytest

from onboarding import clock
from onboarding.errors import SlackBusy, SlackDown, SlackRefused
from onboarding.slack.gateway import AppCredentials, Gateway
from onboarding.slack.grants import UnusableGrant
from onboarding.slack.signin import SlackOpenId
from tests.slack.wire import GRANT, Wire, answers, wire

REDIRECT = "https://connect.example.com/slack/oauth_redirect"


def app_at(slack: Wire) -> AppCredentials:
    address = f"http://127.0.0.1:{slack.port}"
    return AppCredentials("1.1", "client-secret", address, f"{address}/api/")


@pytest.mark.parametrize("team_id", ["T\\ud83d", "T" * 101, ""])
def test_token_without_a_usable_workspace_is_revoked(team_id: str) -> None:
    body = json.dumps({**GRANT, "team": {"id": "replaced", "name": "Acme"}}).replace("replaced", team_id)
    with wire(answers(body)) as slack:
        with pytest.raises(UnusableGrant):
            Gateway().exchange(app_at(slack), "code-1", REDIRECT)
        revocation = slack.questions[1]
    assert revocation.startswith("POST /api/auth.revoke ")
    assert "Bearer xoxb-1" in revocation


def test_rotating_token_without_a_usable_workspace_is_uninstalled() -> None:
    body = json.dumps({**GRANT, "team": None, "refresh_token": "xoxe-1-r", "expires_in": 43_200})
    with wire(answers(body)) as slack:
        with pytest.raises(UnusableGrant):
            Gateway().exchange(app_at(slack), "code-1", REDIRECT)
        assert slack.questions[1].startswith("POST /api/apps.uninstall ")


@pytest.mark.parametrize("name", [b"Acme \xed\xa0\xbd", b"Acme \xe9", b"\xff\xfeAcme "])
def test_name_that_is_not_utf_8_does_not_stop_an_install(name: bytes) -> None:
    body = json.dumps(GRANT).encode().replace(b"Acme HQ", name)
    with wire(answers(body)) as slack:
        grant = Gateway().exchange(app_at(slack), "code-1", REDIRECT)
    assert grant.access_token == "xoxb-1"
    assert "Acme" in (grant.team_name or "")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b"\xef\xbb\xbf" + json.dumps(GRANT).encode(), "Content-Type: text/plain"),
        (gzip.compress(json.dumps(GRANT).encode()), "Content-Encoding: gzip"),
        (zlib.compress(json.dumps(GRANT).encode()), "Content-Encoding: deflate"),
        (json.dumps({"access_token": "xoxb-0"})[:-1].encode() + b", " + json.dumps(GRANT)[1:].encode(), "X-Twice: yes"),
    ],
    ids=["byte order mark", "gzip", "deflate", "member sent twice"],
)
def test_answer_in_another_form_does_not_lose_the_token(body: bytes, header: str) -> None:
    with wire(answers(body, "200 OK", header)) as slack:
        assert Gateway().exchange(app_at(slack), "code-1", REDIRECT).access_token == "xoxb-1"


def test_answer_that_grows_beyond_the_limit_is_no_answer() -> None:
    body = gzip.compress(b" " * 50_000_000)
    with wire(answers(body, "200 OK", "Content-Encoding: gzip")) as slack, pytest.raises(SlackDown, match="ValueError"):
        Gateway().exchange(app_at(slack), "code-1", REDIRECT)


def test_number_of_thousands_of_digits_does_not_lose_the_token() -> None:
    body = json.dumps({**GRANT, "expires_in": 43_200}).replace("43200", "9" * 5000)
    with wire(answers(body)) as slack:
        grant = Gateway().exchange(app_at(slack), "code-1", REDIRECT)
    assert grant.access_token == "xoxb-1"
    assert grant.expires_in == 366 * 24 * 3600


@pytest.mark.parametrize(
    ("header", "seconds"), [("9" * 5000, 30), ("999999", 3600), ("-1", 30), ("soon", 30), ("7", 7)]
)
def test_time_to_wait_is_bounded(header: str, seconds: int) -> None:
    limited = answers("{}", "429 Too Many Requests", f"Retry-After: {header}")
    with wire(limited) as slack, pytest.raises(SlackBusy) as busy:
        Gateway().exchange(app_at(slack), "code-1", REDIRECT)
    assert busy.value.retry_after == seconds


def test_token_that_cannot_be_sent_in_a_header_is_refused_without_a_call() -> None:
    with wire() as slack:
        with pytest.raises(SlackRefused, match="invalid_auth"):
            Gateway().test(app_at(slack), "xoxb-€")
        assert slack.questions == []


@pytest.mark.parametrize("owner", ["T\0", "T\ud83d", "T" * 101, "T 1", 7, None, {}])
def test_workspace_of_a_token_that_cannot_be_an_id_is_no_answer(owner: object) -> None:
    for sent in ({"team_id": owner}, {"is_enterprise_install": True, "enterprise_id": owner}):
        with wire(answers(json.dumps({"ok": True, **sent}))) as slack, pytest.raises(SlackDown):
            Gateway().test(app_at(slack), "xoxb-1")


@pytest.mark.parametrize("body", ["[" * 200_000, "{" * 200_000, '"no object"', "1" * 5000, "\xff"])
def test_answer_to_a_sign_in_that_cannot_be_read_is_no_answer(body: str) -> None:
    openid = SlackOpenId(Gateway().pool, clock.now)
    with wire(answers(body)) as slack, pytest.raises(SlackDown):
        openid.identify(app_at(slack), "code-1", REDIRECT, "nonce")
