"""API keys: admission, and the operations that each scope allows."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from tests.api.conftest import INTEGRATION, Program
from tests.audit import subjects_read
from tests.browser_client import Site
from tests.conftest import Clock, sites


@pytest.mark.parametrize(
    ("header", "code", "message"),
    [
        (None, "key_missing", "Missing authorization header"),
        ("Basic abc", "key_scheme", 'Invalid authentication scheme: "Basic"'),
        ("AWS4-HMAC-SHA256 abc", "key_scheme", 'Invalid authentication scheme: "AWS4-HMAC-SHA256"'),
        ("sco_abc-DEF_123 more", "key_scheme", 'Invalid authentication scheme: "…"'),
        ("ApiKey nobody", "key_unknown", "API Key not found"),
        ("ApiKey", "key_unknown", "API Key not found"),
        # Probably the key itself, without the scheme that must precede it.
        ("sco_abc-DEF_123", "key_scheme", 'Invalid authentication scheme: "…"'),
    ],
)
def test_request_without_a_key_is_refused_with_the_reason(
    header: str | None, code: str, message: str, program: Program
) -> None:
    program.client.headers.pop("Authorization")
    answer = program.asks("GET", "/v1/channel-connections", **({"Authorization": header} if header else {}))
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (401, code, message)
    assert answer.headers["WWW-Authenticate"] == "ApiKey"


def test_bearer_is_accepted_too(program: Program) -> None:
    answer = program.asks("GET", "/v1/channel-connections", Authorization=f"bearer {program.key}")
    assert answer.status_code == 200


def test_revoked_key_stops_working_at_once(site: Site, program: Program) -> None:
    assert program.lists() == []
    site.runtime.api_keys.revoke("program 0", "Development", SHELL)
    assert program.asks("GET", "/v1/channel-connections").json()["message"] == "API Key not found"


def test_key_expires(clock: Clock, program: Program, make_program: Callable[..., Program]) -> None:
    short = make_program(lifetime=timedelta(hours=1))
    assert short.lists() == []
    clock.forward(hours=2)
    assert short.asks("GET", "/v1/channel-connections").status_code == 401
    assert program.lists() == []


@pytest.mark.parametrize(
    ("scope", "method", "address"),
    [
        ("connections:read", "GET", "/v1/channel-connections"),
        ("connections:read", "GET", "/v1/channel-connections/x"),
        ("connections:write", "POST", "/v1/channel-connections"),
        ("connections:write", "PATCH", "/v1/channel-connections/x"),
        ("connections:write", "DELETE", "/v1/channel-connections/x"),
        ("connections:write", "POST", "/v1/channel-connections/x/verify"),
        ("links:write", "POST", "/v1/integrations/channel-connections/oauth"),
        ("webhooks:write", "POST", "/v1/webhook-endpoints"),
        ("webhooks:write", "GET", "/v1/webhook-deliveries"),
        ("connections:read", "GET", "/v1/integrations"),
        ("connections:write", "POST", "/v2/contexts"),
        ("connections:write", "DELETE", "/v2/subscribers/x"),
        ("connections:read", "GET", "/v1/channel-endpoints"),
    ],
)
def test_missing_scope_is_named(scope: str, method: str, address: str, make_program: Callable[..., Program]) -> None:
    others = {"connections:read", "connections:write", "links:write", "connections:secrets"} - {scope}
    answer = make_program(*others).asks(method, address)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert scope in answer.json()["message"]
    assert make_program(scope).asks(method, address).status_code not in (401, 403)


def test_only_a_key_with_the_scope_sees_tokens(program: Program, make_program: Callable[..., Program]) -> None:
    name = program.creates().json()["identifier"]
    reader = make_program("connections:read")
    for answer in (
        reader.asks("GET", f"/v1/channel-connections/{name}").json(),
        reader.asks("GET", "/v1/channel-connections").json()["data"][0],
    ):
        assert answer["auth"] == {"accessToken": "", "hasAccessToken": True}
    assert program.asks("GET", f"/v1/channel-connections/{name}").json()["auth"] == {"accessToken": "token-of-acme-hq"}


def test_key_is_stored_as_a_digest_and_its_use_is_recorded_rarely(site: Site, program: Program) -> None:
    for _ in range(3):
        program.lists()
    site.runtime.api_keys.store_uses()
    with site.runtime.database.reading() as session:
        row = session.execute(text("SELECT * FROM api_keys")).mappings().one()
    assert program.key not in repr(row)
    assert program.key.startswith("sco_")
    assert row["last_used_at"] is not None
    first = row["last_used_at"]
    program.lists()
    site.runtime.api_keys.store_uses()
    with site.runtime.database.reading() as session:
        assert session.scalar(text("SELECT last_used_at FROM api_keys")) == first


def test_key_that_reads_credentials_is_recorded_once_an_hour(
    site: Site, clock: Clock, program: Program, make_program: Callable[..., Program]
) -> None:
    name = program.creates().json()["identifier"]
    make_program("connections:read").asks("GET", f"/v1/channel-connections/{name}")
    for _ in range(3):
        program.asks("GET", f"/v1/channel-connections/{name}")
        program.lists("limit=5")
    assert subjects_read(site.runtime.database) == sorted([name, "list"])
    clock.forward(hours=1)
    program.asks("GET", f"/v1/channel-connections/{name}")
    assert subjects_read(site.runtime.database) == sorted([name, name, "list"])


def test_each_key_has_its_own_rate_limit(start_site: Callable[..., Site]) -> None:
    site = start_site(api_rate_limit=3)
    one, other = (Program(site, site.api_key(name, "Development")) for name in ("one", "other"))
    answers = [one.asks("GET", "/v1/integrations") for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    assert refused
    assert refused[0].json()["message"] == "API rate limit exceeded"
    assert refused[0].headers["Retry-After"] == "1"
    assert answers[0].headers["RateLimit-Limit"] == "3"
    assert answers[0].headers["RateLimit-Remaining"] == "2"
    assert other.asks("GET", "/v1/integrations").status_code == 200


def test_first_read_with_a_key_waits_for_no_writer(site: Site, program: Program) -> None:
    program.creates()
    database = site.runtime.database
    reader = Program(site, site.api_key("a reader", "Development", ("connections:read",), None))
    with database.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE" if database.is_sqlite else "BEGIN")
        other.exec_driver_sql("UPDATE api_keys SET name = name")
        began = time.monotonic()
        assert len(reader.asks("GET", "/v1/channel-connections").json()["data"]) == 1
        assert time.monotonic() - began < 5
        other.exec_driver_sql("ROLLBACK")


def test_read_of_credentials_that_cannot_be_recorded_is_refused_soon(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    with sites(database_url, tmp_path, clock, serves_requests=True) as start:
        site: Site = start()
        site.add_practice_app(INTEGRATION, "Northwind", "Development")
        program, database = Program(site, site.api_key("program")), site.runtime.database
        name = program.creates().json()["identifier"]
        reader = Program(site, site.api_key("a reader", scopes=("connections:read",)))
        addresses = [f"/v1/channel-connections/{name}", "/v1/channel-connections"]
        with database.engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE" if database.is_sqlite else "BEGIN")
            if not database.is_sqlite:
                other.exec_driver_sql("LOCK TABLE audit_entries")
            for address in addresses:
                began = time.monotonic()
                refused = program.asks("GET", address)
                assert time.monotonic() - began < 10, "the limit is two seconds"
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
                assert "token-of" not in refused.text
                assert reader.asks("GET", address).status_code == 200
            other.exec_driver_sql("ROLLBACK")
        assert [program.asks("GET", address).status_code for address in addresses] == [200, 200]
        assert subjects_read(site.runtime.database) == sorted([name, "list"])
