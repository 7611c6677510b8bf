"""Finding a link and an install again."""

import json

import pytest

from tests.cli.shell import Run, is_one_line

# A process for each command takes its time.
pytestmark = pytest.mark.slow


def test_links_are_listed_newest_first_with_their_state(run: Run) -> None:
    assert run("link", "list").stdout == "No links yet.\n"
    bea = ("--integration", "slack-practice", "--subscriber", "bea", "--context", "tenant=acme", "--json")
    first = json.loads(run("link", "create", *bea).stdout)
    second = json.loads(run("link", "create", "--integration", "slack-practice", "--open", "--json").stdout)
    run("link", "revoke", second["id"])
    shown = run("link", "list")
    assert shown.stdout.splitlines() == [
        f"{second['id']}  slack-practice  anyone  revoked  {second['expiresAt']}",
        f"{first['id']}  slack-practice  bea  tenant:acme  usable  {first['expiresAt']}",
    ]
    listed = json.loads(run("link", "list", "--json").stdout)["data"]
    assert [one["state"] for one in listed] == ["revoked", "usable"]
    assert listed[1].pop("createdAt").endswith("Z")
    assert listed[1] == {
        "id": first["id"],
        "integrationIdentifier": "slack-practice",
        "kind": "invitation",
        "state": "usable",
        "subscriberId": "bea",
        "contextKeys": ["tenant:acme"],
        "offeredContextKeys": [],
        "expiresAt": first["expiresAt"],
    }
    assert first["url"] not in shown.stdout, "a list does not open the links"
    run("environment", "add", "Production")
    assert run("link", "list", "--environment", "Production").stdout == "No links yet.\n"
    is_one_line(run("link", "list", "--environment", "nope"), "Environment not found: nope.")
