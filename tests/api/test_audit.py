"""Every operation of the API that changes something leaves an audit entry with the key as its actor, and no secret."""

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests import full_disk
from tests.api.conftest import Program, connection
from tests.audit import entries
from tests.browser_client import Site

HOOK = "https://hooks.slack.com/services/T1/B1/secret-of-the-hook"
OWNER = {"integrationIdentifier": "slack-prod", "subscriberId": "ada"}
CONNECTION, ENDPOINT = "/v1/channel-connections/chconn_a", "/v1/channel-endpoints/chendp_a"
NEW_AUTH = {"workspace": {"id": "T2"}, "auth": {"accessToken": "second-token-of-acme"}}

#: Method, address, body, and the action and subject of the expected entry. In an order that works.
CHANGES: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/v2/subscribers", {"subscriberId": "bea"}, "subscriber.created", "bea"),
    ("POST", "/v2/subscribers", {"subscriberId": "bea", "firstName": "Bea"}, "subscriber.updated", "bea"),
    ("PATCH", "/v2/subscribers/bea", {"firstName": "B"}, "subscriber.updated", "bea"),
    ("DELETE", "/v2/subscribers/bea", None, "subscriber.deleted", "bea"),
    ("POST", "/v2/contexts", {"type": "tenant", "id": "acme"}, "context.created", "tenant:acme"),
    ("PATCH", "/v2/contexts/tenant/acme", {"data": {"a": 1}}, "context.updated", "tenant:acme"),
    ("DELETE", "/v2/contexts/tenant/acme", None, "context.deleted", "tenant:acme"),
    ("POST", "/v1/channel-connections", connection(identifier="chconn_a"), "connection.connected", "chconn_a"),
    ("PATCH", CONNECTION, NEW_AUTH, "connection.updated", "chconn_a"),
    ("POST", "/v1/channel-endpoints", {**OWNER, "identifier": "chendp_a", "type": "webhook", "endpoint": {"url": HOOK}}, "endpoint.created", "chendp_a"),
    ("PATCH", ENDPOINT, {"endpoint": {"url": HOOK}}, "endpoint.updated", "chendp_a"),
    ("DELETE", ENDPOINT, None, "endpoint.deleted", "chendp_a"),
    ("DELETE", f"{CONNECTION}?revoke=false", None, "connection.disconnected", "chconn_a"),
    ("POST", "/v1/integrations/channel-connections/oauth", OWNER, "link.created", "lnk_"),
    ("POST", "/v1/integrations/chat/oauth", {**OWNER, "mode": "connect"}, "link.created", "lnk_"),
    ("POST", "/v1/connect-sessions", OWNER, "link.created", "cs_"),
    ("POST", "/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/hook"}, "webhook.added", "whe_"),
]  # fmt: skip
#: Operations that ask Slack and store its answer, so no caller changes anything.
WITHOUT_CHANGES = {
    ("POST", "/v1/channel-connections/{identifier}/verify"),
    ("POST", "/v1/webhook-endpoints/{id}/test"),
}
#: Operations whose address contains an id that the server chooses. They have tests of their own.
ELSEWHERE = {
    ("DELETE", "/v1/connect-sessions/{id}"),
    ("PATCH", "/v1/webhook-endpoints/{id}"),
    ("DELETE", "/v1/webhook-endpoints/{id}"),
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret"),
    ("POST", "/v1/webhook-endpoints/{id}/replay"),
    ("POST", "/v1/webhook-deliveries/{id}/replay"),
}
#: Further entries of a change whose response contains credentials, or that removes the last use of a token.
BESIDES = ("credentials.read", "installation.erased")
SECRETS = ("secret-of-the-hook", "token-of-acme", "second-token-of-acme")


def test_each_operation_records_its_change_with_the_key_as_actor(site: Site, program: Program) -> None:
    database = site.runtime.database
    created = [one for one in entries(database) if one.action == "api_key.created"]
    actor = f"key:{created[0].subject}"
    known = entries(database)
    for method, address, body, action, subject in CHANGES:
        answer = program.asks(method, address, body)
        assert answer.status_code < 300, answer.text
        new = [one for one in entries(database) if one not in known and one.action not in BESIDES]
        assert [(one.action, one.actor) for one in new] == [(action, actor)], (method, address)
        assert new[0].subject.startswith(subject)
        known += new
    written = str(entries(database))
    assert [secret for secret in (*SECRETS, program.key) if secret in written] == []


def test_revoking_a_connect_session_is_recorded_once(site: Site, program: Program) -> None:
    created = program.asks("POST", "/v1/connect-sessions", OWNER).json()
    for _ in range(2):
        assert program.asks("DELETE", f"/v1/connect-sessions/{created['id']}").status_code == 204
    revoked = [one for one in entries(site.runtime.database) if one.action == "link.revoked"]
    assert [one.subject for one in revoked] == [created["id"]]
    assert created["token"] not in str(entries(site.runtime.database))


def test_every_operation_is_accounted_for() -> None:
    document = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
    tested = [(method, address.partition("?")[0]) for method, address, *_ in CHANGES]
    for path, methods in document["paths"].items():
        pattern = re.sub(r"{\w+}", "[^/]+", path)
        for method in {one.upper() for one in methods} - {"GET"}:
            is_tested = any(method == other and re.fullmatch(pattern, address) for other, address in tested)
            assert is_tested or (method, path) in WITHOUT_CHANGES | ELSEWHERE, (method, path)


def test_session_whose_entry_cannot_be_stored_is_not_created(program: Program) -> None:
    new = {"integrationIdentifier": "slack-prod", "subscriberId": "ada"}
    full_disk.where(program.site, "INSERT ON audit_entries")
    for members in ({}, {"context": {"tenant": "acme"}}):
        assert program.asks("POST", "/v1/connect-sessions", {**new, **members}).status_code == 503
    with program.site.runtime.database.rows() as rows:
        assert rows.scalar(text("SELECT count(*) FROM links")) == 0
