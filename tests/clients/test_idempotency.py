"""Idempotency keys as both official clients send them: first use, replay, reuse."""

from tests.clients.bodies import connection
from tests.clients.official import Client


def test_same_key_and_body_return_a_marked_replay(novu: Client) -> None:
    first = novu("connections.create", body=connection(), key="once")
    again = novu("connections.create", body=connection(), key="once")
    assert again.result == first.result
    assert (first.headers.get("idempotency-replay"), again.headers["idempotency-replay"]) == (None, "true")
    assert again.headers["idempotency-key"] == "once"
    assert novu("connections.list", query={}).result["totalCount"] == 1


def test_each_call_without_a_given_key_is_a_new_request(novu: Client) -> None:
    assert novu("connections.create", body=connection()).error is None
    assert novu("connections.create", body=connection()).status == 409


def test_same_key_with_another_body_is_a_validation_error(novu: Client) -> None:
    novu("connections.create", body=connection(), key="once")
    reused = novu("connections.create", body=connection(subscriberId="other"), key="once")
    assert (reused.error, reused.status) == ("ValidationErrorDto", 422)
    assert reused.body["message"] == 'Request with key "once" is being reused for a different body'
    assert list(reused.body["errors"]) == ["idempotency-key"]


def test_refusal_is_replayed_too(novu: Client) -> None:
    body = connection(integrationIdentifier="later")
    refused = [novu("connections.create", body=body, key="once") for _ in range(2)]
    assert [(one.error, one.status) for one in refused] == [("ErrorDto", 404)] * 2
    assert refused[0].body == refused[1].body
    assert refused[1].headers["idempotency-replay"] == "true"


def test_key_of_one_call_means_nothing_to_another(novu: Client) -> None:
    created = novu("connections.create", body=connection(), key="once").result
    body = {"workspace": {"id": "T9"}, "auth": {"accessToken": "another"}}
    updated = novu("connections.update", identifier=created["identifier"], body=body, key="once")
    assert updated.result["workspace"]["id"] == "T9"


def test_replayed_update_changes_nothing(novu: Client) -> None:
    identifier = novu("connections.create", body=connection()).result["identifier"]
    body = {"workspace": {"id": "T9"}, "auth": {"accessToken": "another"}}
    first = novu("connections.update", identifier=identifier, body=body, key="once").result
    later = novu("connections.update", identifier=identifier, body={**body, "workspace": {"id": "T10"}}).result
    assert novu("connections.update", identifier=identifier, body=body, key="once").result == first
    assert novu("connections.retrieve", identifier=identifier).result == later


def test_key_longer_than_255_characters_is_refused(novu: Client) -> None:
    answer = novu("connections.create", body=connection(), key="x" * 256)
    assert (answer.error, answer.status) == ("ErrorDto", 400)
