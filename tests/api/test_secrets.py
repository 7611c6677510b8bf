"""No request of a caller puts a credential into a log, an error or the audit."""

import logging

import pytest
from sqlalchemy import text

from tests.api.conftest import Program, connection
from tests.audit import subjects_read
from tests.browser_client import Site

LIST, ENDPOINTS = "/v1/channel-connections", "/v1/channel-endpoints"
SECRETS = ("tok-e1n", "refr-e5h", "hooks.example/s3cret", "sco_")


def test_credentials_stay_out_of_logs_and_audit(site: Site, program: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = {"accessToken": "tok-e1n", "refreshToken": "refr-e5h"}
    name = program.asks("POST", LIST, connection(auth=auth), Idempotency_Key="k").json()["identifier"]
    program.asks("POST", LIST, connection(auth=auth), Idempotency_Key="k")
    program.creates(auth=auth)
    program.creates(auth={**auth, "expiresAt": "tok-e1n"})
    program.asks("PATCH", f"{LIST}/{name}", {"workspace": {"id": "T1"}, "auth": auth})
    site.slack.fails("oauth.v2.access", "status_500")
    program.asks("POST", f"{LIST}/{name}/verify")
    program.asks("POST", f"{LIST}/{name}/verify")
    program.lists("search=acme&subscriberId=ada")
    hook = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "webhook"}
    program.asks("POST", "/v1/channel-endpoints", {**hook, "endpoint": {"url": "https://hooks.example/s3cret"}})
    with site.runtime.database.transaction() as session:
        audit = str(session.execute(text("SELECT * FROM audit_entries")).all())
        session.execute(text("UPDATE installations SET access_token = :junk"), {"junk": b"0" * 60})
    unreadable = program.asks("GET", f"{LIST}/{name}").json()
    assert (unreadable["status"], unreadable["auth"]["accessToken"]) == ("needs_reconnect", "")
    # The log of the tests' own client is no log of the product.
    logged = " ".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("http", "werkzeug"))
    )
    assert "connection.token_unreadable" in logged
    assert name in audit
    assert [secret for secret in SECRETS if secret in logged or secret in audit] == []


def test_list_is_recorded_with_its_filter_and_count(site: Site, program: Program) -> None:
    program.creates(context={"tenant": "acme"})
    for _ in range(2):
        program.lists("contextKeys=tenant:acme&limit=5")
        program.lists("contextKeys=tenant:acme&limit=6")
    program.lists("subscriberId=ada")
    program.lists("subscriberId=nobody&connectionMode=subscriber")
    with site.runtime.database.reading() as session:
        found = session.execute(text("SELECT detail FROM audit_entries WHERE subject = 'list' ORDER BY at"))
        first, second = found.scalars()
    assert "tenant:acme" in first
    assert "ada" in second
    assert first.endswith("count=1")


def test_reads_of_webhooks_are_recorded(site: Site, program: Program) -> None:
    hook = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "webhook", "identifier": "hook"}
    program.asks("POST", ENDPOINTS, {**hook, "endpoint": {"url": "https://hooks.example/s3cret"}})
    program.asks("POST", ENDPOINTS, {**hook, "identifier": "b", "type": "slack_user", "endpoint": {"userId": "U1"}})
    program.asks("GET", f"{ENDPOINTS}/b")
    assert subjects_read(site.runtime.database) == []
    for _ in range(2):
        program.asks("GET", f"{ENDPOINTS}/hook")
        program.asks("GET", ENDPOINTS)
    assert subjects_read(site.runtime.database) == ["endpoints", "hook"]


def test_connection_and_endpoint_of_one_identifier_are_two_reads(site: Site, program: Program) -> None:
    hook = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "webhook", "identifier": "same"}
    program.asks("POST", ENDPOINTS, {**hook, "endpoint": {"url": "https://hooks.example/s3cret"}})
    program.creates(identifier="same")
    program.asks("GET", f"{LIST}/same")
    program.asks("GET", f"{ENDPOINTS}/same")
    assert subjects_read(site.runtime.database) == ["same", "same"]


def test_token_that_the_caller_did_not_give_is_recorded_when_shown(site: Site, program: Program) -> None:
    """A caller that gives a known refresh token gets the pair that replaced it."""
    pair = {"accessToken": "the-token-in-use", "refreshToken": "single-use"}
    program.creates(identifier="first", auth=pair)
    shown = program.creates(identifier="second", subscriberId="bea", auth=pair).json()["auth"]["accessToken"]
    assert (shown, subjects_read(site.runtime.database)) == ("the-token-in-use", [])
    with site.runtime.database.transaction() as session:
        session.execute(text("UPDATE installations SET refresh_token = NULL"))
    shown = program.creates(identifier="third", subscriberId="cy", auth={**pair, "accessToken": "junk"}).json()
    assert (shown["auth"]["accessToken"], subjects_read(site.runtime.database)) == ("the-token-in-use", ["third"])
