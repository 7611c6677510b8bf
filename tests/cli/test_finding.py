"""Finding a link and an install again."""

import json

import pytest

from tests.browser_client import BrowserClient, Site
from tests.cli.shell import Run, is_one_line
from tests.conftest import KEY, SECRET

# Starting a process for each command is slow.
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


def test_install_is_found_by_the_reference_on_its_page(run: Run, site: Site, visitor: BrowserClient) -> None:
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    page = visitor.connects(site.link())
    reference = page.main.get("data-reference") or ""
    assert len(reference) == 8
    found = json.loads(run("attempt", "show", reference, "--json", **same).stdout)
    assert (found["reference"], found["outcome"], found["cause"]) == (reference, "connected", None)
    assert [one["step"] for one in found["steps"]] == ["started", "sent", "returned", "finished"]
    assert found["connectionIdentifier"].startswith("chconn_")
    for name in (reference.lower(), found["id"], f" {reference} "):
        assert json.loads(run("attempt", "show", name, "--json", **same).stdout) == found
    lines = run("attempt", "show", reference, **same).stdout.splitlines()
    assert lines[:2] == [f"reference: {reference}", "Slack app: slack-practice"]
    assert "outcome: connected" in lines


def test_cause_of_a_failed_install_is_shown(run: Run, site: Site, visitor: BrowserClient) -> None:
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    page = visitor.connects(site.link(), scenario="bad_client_secret")
    shown = run("attempt", "show", page.main.get("data-reference") or "", **same).stdout
    assert "outcome: config_error" in shown
    assert "Slack's error: bad_client_secret" in shown
    assert "\ncause: " in shown


@pytest.mark.once
@pytest.mark.parametrize("reference", ["", "A", "AAAAAAAA", "%%%%%%%%", "________", "att_"])
def test_unknown_reference_is_one_line(run: Run, reference: str) -> None:
    is_one_line(run("attempt", "show", reference), f"Attempt not found: {reference}.")
