"""/v1/webhook-endpoints and /v1/webhook-deliveries, from an endpoint's creation to its removal."""

from tests.api.conftest import Program
from tests.audit import entries
from tests.browser_client import Site
from tests.webhooks.receiver import receiving, status

ENDPOINTS, DELIVERIES = "/v1/webhook-endpoints", "/v1/webhook-deliveries"


def test_endpoint_is_created_tested_paused_and_removed(site: Site, program: Program) -> None:
    with receiving() as receiver:
        receiver.answer = status(500, b"later")
        body = {"url": receiver.url, "events": ["connection.connected"], "description": "Billing"}
        created = program.asks("POST", ENDPOINTS, body, Idempotency_Key="k")
        endpoint = created.json()
        name, secret = endpoint["id"], endpoint.pop("secret")
        assert created.status_code == 201
        assert (endpoint["url"], endpoint["events"], endpoint["status"]) == (
            receiver.url, ["connection.connected"], "enabled",
        )  # fmt: skip
        repeated = program.asks("POST", ENDPOINTS, body, Idempotency_Key="k")
        assert (repeated.status_code, repeated.json()) == (201, endpoint), "without the secret"
        assert program.asks("GET", ENDPOINTS).json() == {"data": [endpoint]}
        assert program.asks("GET", f"{ENDPOINTS}/{name}").json() == endpoint

        tested = program.asks("POST", f"{ENDPOINTS}/{name}/test")
        assert (tested.status_code, tested.json()["status"]) == (201, "waiting")
        delivery = tested.json()["id"]
        site.runtime.webhooks.delivering.deliver(delivery, 1)
        receiver.got[0].verify(secret)
        (listed,) = program.asks("GET", f"{DELIVERIES}?endpointId={name}&status=waiting").json()["data"]
        retrieved = program.asks("GET", f"{DELIVERIES}/{delivery}").json()
        (tried,) = retrieved.pop("tries")
        assert listed == retrieved
        assert {name: listed[name] for name in tried} == tried
        assert (tried["answerStatus"], tried["answerBody"]) == (500, "later")
        assert (listed["answerStatus"], listed["answerBody"], listed["failures"]) == (500, "later", 1)
        assert program.asks("GET", f"{DELIVERIES}?status=parked").json()["data"] == []

        paused = program.asks("PATCH", f"{ENDPOINTS}/{name}", {"enabled": False, "events": []}).json()
        assert (paused["status"], paused["pauseReason"], paused["events"]) == ("paused", "requested", [])
        site.runtime.webhooks.delivering.deliver(delivery, 2)
        assert program.asks("PATCH", f"{ENDPOINTS}/{name}", {"enabled": True}).json()["status"] == "enabled"
        assert program.asks("POST", f"{ENDPOINTS}/{name}/replay").json() == {"replayed": 1}
        receiver.answer = status(200)
        site.runtime.webhooks.delivering.deliver(delivery, 3)
        replayed = program.asks("POST", f"{DELIVERIES}/{delivery}/replay").json()
        assert (replayed["status"], replayed["failures"]) == ("waiting", 0)
        tries = program.asks("GET", f"{DELIVERIES}/{delivery}").json()["tries"]
        assert [one.get("answerStatus") for one in tries] == [200, 500], "also those before a replay"

    rotated = program.asks("POST", f"{ENDPOINTS}/{name}/rotate-secret").json()
    assert rotated["secret"] not in (secret, None)
    assert "previousSecretUntil" in rotated
    assert program.asks("DELETE", f"{ENDPOINTS}/{name}").status_code == 204
    assert program.asks("GET", f"{DELIVERIES}/{delivery}").status_code == 404
    recorded = [one for one in entries(site.runtime.database) if one.subject == name]
    assert {one.action.removeprefix("webhook.") for one in recorded} == {
        "added", "changed", "paused", "resumed", "rotated", "replayed", "removed",
    }  # fmt: skip
    assert {one.actor.partition(":")[0] for one in recorded} == {"key"}
    assert not any(one in str(recorded) for one in (secret, rotated["secret"]))


def test_other_environment_sees_no_endpoint_and_no_delivery(site: Site, program: Program) -> None:
    name = program.asks("POST", ENDPOINTS, {"url": "http://127.0.0.1:9/"}).json()["id"]
    delivery = program.asks("POST", f"{ENDPOINTS}/{name}/test").json()["id"]
    site.add_environment("Production")
    other = Program(site, site.api_key("other", "Production"))
    assert other.asks("GET", ENDPOINTS).json() == {"data": []}
    assert other.asks("GET", DELIVERIES).json()["data"] == []
    for method, address in (
        ("GET", f"{ENDPOINTS}/{name}"), ("DELETE", f"{ENDPOINTS}/{name}"), ("POST", f"{ENDPOINTS}/{name}/test"),
        ("POST", f"{ENDPOINTS}/{name}/replay"), ("POST", f"{ENDPOINTS}/{name}/rotate-secret"),
        ("GET", f"{DELIVERIES}/{delivery}"), ("POST", f"{DELIVERIES}/{delivery}/replay"),
    ):  # fmt: skip
        assert other.asks(method, address).status_code == 404, (method, address)


def test_invalid_values_are_named(program: Program) -> None:
    for body, field in (
        ({}, "url"), ({"url": "ftp://x"}, "url"), ({"url": "https://192.168.0.1/"}, "url"),
        ({"url": "https://a.example", "events": ["nonsense"]}, "events"),
        ({"url": "https://a.example", "description": "x" * 256}, "description"),
    ):  # fmt: skip
        answer = program.asks("POST", ENDPOINTS, body)
        assert answer.status_code == 422, body
        assert any(name.startswith(field) for name in answer.json()["errors"]), answer.text
