"""A request that is repeated with its key runs once, and no stored response reveals a token that was replaced."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from onboarding.errors import Conflict
from onboarding.services.connections.records import Auth, NewConnection, Workspace
from onboarding.services.idempotency import Claim, StoredResponse
from tests.api.conftest import Program, connection
from tests.browser_client import Site
from tests.conftest import Clock

LIST = "/v1/channel-connections"


def test_repeat_gets_the_same_response_and_creates_nothing(program: Program) -> None:
    first = program.asks("POST", LIST, connection(), Idempotency_Key="k")
    again = program.asks("POST", LIST, connection(), IDEMPOTENCY_KEY="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replay" not in first.headers
    assert (again.headers["Idempotency-Replay"], again.headers["Idempotency-Key"]) == ("true", "k")
    assert len(program.lists()) == 1


def test_4xx_responses_are_stored_and_5xx_are_not(site: Site, program: Program) -> None:
    unknown = connection(integrationIdentifier="later")
    assert program.asks("POST", LIST, unknown, Idempotency_Key="k").status_code == 404
    site.add_practice_app("later", "Later", "Development")
    kept = program.asks("POST", LIST, unknown, Idempotency_Key="k")
    assert (kept.status_code, kept.headers["Idempotency-Replay"]) == (404, "true")
    name = program.creates().json()["identifier"]
    site.slack.fails("auth.test", "status_500")
    verify = f"{LIST}/{name}/verify"
    assert program.asks("POST", verify, Idempotency_Key="v").status_code == 502
    assert program.asks("POST", verify, Idempotency_Key="v").headers.get("Idempotency-Replay") is None


@pytest.mark.parametrize("body", [{}, {"subscriberId": "x"}], ids=["422", "404 later"])
def test_another_body_is_refused(body: dict[str, str], program: Program) -> None:
    program.asks("POST", LIST, connection(), Idempotency_Key="k")
    answer = program.asks("POST", LIST, body, Idempotency_Key="k")
    assert answer.status_code == 422
    sentence = 'Request with key "k" is being reused for a different body'
    assert answer.json()["message"] == sentence
    assert answer.json()["errors"] == {"idempotency-key": {"messages": [sentence]}}


def test_another_address_is_another_request(program: Program) -> None:
    assert program.asks("POST", "/v2/contexts", {"type": "a", "id": "b"}, Idempotency_Key="k").status_code == 201
    assert program.asks("POST", "/v2/subscribers", {"subscriberId": "b"}, Idempotency_Key="k").status_code == 201


def test_another_query_is_another_request_under_the_same_key(program: Program) -> None:
    ask = {"subscriberId": "b"}
    assert program.asks("POST", "/v2/subscribers", ask, Idempotency_Key="k").status_code == 201
    answer = program.asks("POST", "/v2/subscribers?failIfExists=true", ask, Idempotency_Key="k")
    assert answer.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("end", ["DELETE", "PATCH"])
def test_replay_contains_no_token_that_was_replaced(end: str, program: Program) -> None:
    made = program.asks("POST", LIST, connection(), Idempotency_Key="k").json()
    body = {"workspace": {"id": "T1"}, "auth": {"accessToken": "the-new-token"}} if end == "PATCH" else None
    assert program.asks(end, f"{LIST}/{made['identifier']}", body).status_code in (200, 204)
    replay = program.asks("POST", LIST, connection(), Idempotency_Key="k")
    assert replay.headers["Idempotency-Replay"] == "true"
    assert "token-of-acme-hq" not in replay.text
    # The stored response names the old workspace: it must not contain the new one's token.
    assert replay.json()["auth"] == {"accessToken": "", "hasAccessToken": end == "PATCH"}
    assert len(program.lists()) == (0 if end == "DELETE" else 1)


def test_replay_shows_no_token_to_a_key_without_the_scope(
    program: Program, make_program: Callable[..., Program]
) -> None:
    program.asks("POST", LIST, connection(), Idempotency_Key="k")
    writer = make_program("connections:write")
    assert writer.asks("POST", LIST, connection(), Idempotency_Key="k").json()["auth"] == {
        "accessToken": "",
        "hasAccessToken": True,
    }


def test_stored_responses_are_encrypted(site: Site, program: Program) -> None:
    program.asks("POST", LIST, connection(), Idempotency_Key="k")
    with site.runtime.database.reading() as session:
        row = session.execute(text("SELECT * FROM answers")).mappings().one()
    assert b"T1" not in bytes(row["body"])
    assert "token-of-acme-hq" not in repr(dict(row))


def test_key_of_a_dead_process_is_free_after_five_minutes(site: Site, clock: Clock, program: Program) -> None:
    runtime, body = site.runtime, json.dumps(connection()).encode()
    runtime.idempotency.begin(runtime.environments.first().id, "k", "POST", LIST, body)

    def tries() -> int:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        return program.client.post(LIST, content=body, headers=headers).status_code

    assert tries() == 409
    clock.forward(minutes=4)
    assert tries() == 409
    clock.forward(minutes=2)
    assert tries() == 201
    assert len(program.lists()) == 1


def test_key_is_free_again_after_a_day(clock: Clock, program: Program) -> None:
    program.asks("POST", "/v2/contexts", {"type": "a", "id": "b"}, Idempotency_Key="k")
    clock.forward(hours=25)
    assert program.asks("POST", "/v2/contexts", {"type": "a", "id": "c"}, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("requires_api_key", [False, True], ids=["without key", "with one key"])
def test_two_hundred_concurrent_requests_create_one_connection(
    requires_api_key: bool, start_site: Callable[..., Site]
) -> None:
    site = start_site(api_rate_limit=1_000_000)
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("p", "Development"))
    headers = {"Idempotency_Key": "k"} if requires_api_key else {}
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda _index: program.asks("POST", LIST, connection(), **headers), range(200)))
    codes = sorted((answer.status_code, answer.json().get("code", "")) for answer in answers)
    made = [one for one in codes if one[0] == 201]
    others = {one for one in codes if one[0] != 201}
    assert len(program.lists()) == 1
    if requires_api_key:
        assert made
        assert others <= {(409, "idempotency_in_progress")}
        assert len({answer.json()["identifier"] for answer in answers if answer.status_code == 201}) == 1
    else:
        assert len(made) == 1
        assert others == {(409, "connection_exists")}


def test_two_hundred_concurrent_requests_for_one_identifier_create_one_connection(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(api_rate_limit=1_000_000)
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("p", "Development"))

    def creates(index: int) -> tuple[int, str]:
        contexts = {"tenant": f"t{index % 3}", "region": f"r{index % 2}"}
        answer = program.creates(identifier="the-one", subscriberId=f"s{index}", context=contexts)
        return answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(32) as threads:
        codes = sorted(threads.map(creates, range(200)))
    assert codes == [(201, "")] + [(409, "identifier_taken")] * 199
    assert program.lists() == ["the-one"]


def test_replay_with_a_token_is_recorded_as_a_read_of_credentials(
    site: Site, program: Program, make_program: Callable[..., Program]
) -> None:
    name = program.asks("POST", LIST, connection(), Idempotency_Key="k").json()["identifier"]
    for scopes in (("connections:write",), ("connections:write", "connections:secrets")):
        make_program(*scopes).asks("POST", LIST, connection(), Idempotency_Key="k")
    with site.runtime.database.reading() as session:
        reads = session.execute(text("SELECT subject FROM audit_entries WHERE action = 'credentials.read'")).scalars()
        assert list(reads) == [name]


@pytest.mark.parametrize("end", ["DELETE", "PATCH"])
def test_replay_contains_no_webhook_that_was_replaced(
    end: str, program: Program, make_program: Callable[..., Program]
) -> None:
    address, old, new = "/v1/channel-endpoints", "https://hooks.example.com/old", "https://hooks.example.com/new"
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "webhook", "endpoint": {"url": old}}
    made = program.asks("POST", address, body, Idempotency_Key="k").json()
    assert program.asks("POST", address, body, Idempotency_Key="k").json() == made
    assert make_program("connections:write").asks("POST", address, body, Idempotency_Key="k").json()["endpoint"] == {
        "url": ""
    }
    program.asks(end, f"{address}/{made['identifier']}", {"endpoint": {"url": new}} if end == "PATCH" else None)
    replay = program.asks("POST", address, body, Idempotency_Key="k")
    assert replay.headers["Idempotency-Replay"] == "true"
    # The stored response describes the previous webhook.
    assert replay.json()["endpoint"]["url"] == ""


def test_process_that_resumes_after_its_claim_was_taken_over_creates_nothing(
    site: Site, clock: Clock, program: Program
) -> None:
    """A process slept for longer than its claim: its connection is rolled back with its claim."""
    runtime, body = site.runtime, json.dumps(connection()).encode()
    environment = runtime.environments.first()
    claim = runtime.idempotency.begin(environment.id, "k", "POST", LIST, body)
    assert isinstance(claim, Claim)
    clock.forward(minutes=6)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    first = program.client.post(LIST, content=body, headers=headers).json()
    late = NewConnection("slack-prod", Workspace("T1"), Auth("late-token"), subscriber_id="late")
    with pytest.raises(Conflict, match="too long"):
        runtime.connections.create(
            site.caller(),
            late,
            lambda session, made: runtime.idempotency.store_in(session, claim, StoredResponse(201, "{}", made.id)),
        )
    assert program.lists() == [first["identifier"]]
    assert program.client.post(LIST, content=body, headers=headers).json() == first
