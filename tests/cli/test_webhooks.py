"""`webhook …`: every command once, with the audit entry that it leaves."""

import json

import pytest

from onboarding.store.database import Database
from tests.audit import entries
from tests.cli.shell import Run, is_one_line

# Each command is a process.
pytestmark = pytest.mark.slow

URL = "http://127.0.0.1:9/hook"


def test_endpoint_from_its_creation_to_its_removal(run: Run, database: Database) -> None:
    added = json.loads(run("webhook", "add", URL, "--event", "connection.connected", "--json").stdout)
    name = added["id"]
    assert added["secret"].startswith("whsec_")
    assert (added["events"], added["status"]) == (["connection.connected"], "enabled")

    changed = run("webhook", "set", name, "--all-events", "--description", "Billing", "--json")
    assert json.loads(changed.stdout)["events"] == []
    rotated = json.loads(run("webhook", "rotate-secret", name, "--json").stdout)
    assert rotated["secret"] != added["secret"]
    assert "previousSecretUntil" in rotated

    sent = json.loads(run("webhook", "test", name, "--json").stdout)["id"]
    assert run("webhook", "deliveries").stdout == f"{sent}  webhook.test  {name}  waiting  -\n"
    assert run("webhook", "pause", name).stdout == f"{name}  {URL}  all events  paused (requested)\n"
    is_one_line(run("webhook", "test", name), "Resume it first.")
    assert run("webhook", "resume", name).returncode == 0
    listed = run("webhook", "list")
    assert listed.stdout == f"{name}  {URL}  all events  enabled\n"
    assert added["secret"] not in listed.stdout

    assert run("webhook", "replay", sent).stdout == "Replayed: 1.\n"
    assert run("webhook", "replay", "--failed-of", name).stdout == "Replayed: 0.\n"
    is_one_line(run("webhook", "replay"), "Name a delivery")
    assert run("webhook", "remove", name).stdout == f"Removed {name}.\n"
    assert run("webhook", "deliveries").stdout == "No deliveries.\n"
    is_one_line(run("webhook", "remove", name), f"Webhook endpoint not found: {name}.")

    recorded = [one for one in entries(database) if one.subject == name]
    actions = ["added", "changed", "rotated", "paused", "resumed", "removed"]
    assert sorted(one.action for one in recorded) == sorted(f"webhook.{one}" for one in actions)
    assert not any(secret in str(recorded) for secret in (added["secret"], rotated["secret"]))


@pytest.mark.once
@pytest.mark.parametrize(
    ("url", "words"),
    [("http://example.com/hook", "must use https"), ("https://10.0.0.1/", "private or reserved"), ("https://[::1", "host name")],
)  # fmt: skip
def test_address_that_cannot_work_is_one_line(run: Run, url: str, words: str) -> None:
    is_one_line(run("webhook", "add", url), words)
