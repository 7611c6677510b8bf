"""The worker refreshes rotating tokens and checks every token."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from onboarding.practice import admins
from tests.api.conftest import Program
from tests.audit import entries
from tests.browser_client import BrowserClient, Site
from tests.conftest import KEY, SECRET, Clock
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(site: Site) -> Program:
    return Program(site, site.api_key("program"))


def connected(site: Site, visitor: BrowserClient, scenario: str = "") -> str:
    """Connect a workspace and return the id of its installation."""
    visitor.connects(site.link(), scenario=scenario)
    with site.runtime.database.engine.connect() as connection:
        return str(connection.scalar(text("SELECT id FROM installations")))


def enqueued(site: Site) -> list[str]:
    """Let the schedules pick what is due, and return the names of all the work that they enqueued since the start."""
    site.runtime.token_refresh.enqueue_due()
    site.runtime.connections.enqueue_checks()
    schema = "" if site.runtime.database.is_sqlite else "dbos."
    with site.runtime.database.engine.connect() as connection:
        query = f"SELECT name FROM {schema}workflow_status WHERE status = 'ENQUEUED'"  # noqa: S608 - a constant.
        return sorted(connection.scalars(text(query)))


def actions(site: Site) -> list[tuple[str, str]]:
    found = entries(site.runtime.database)
    return sorted(
        (one.action, one.detail) for one in found if one.action.startswith("connection.") and one.actor == "system"
    )


def only(program: Program) -> dict[str, Any]:
    (found,) = program.asks("GET", "/v1/channel-connections").json()["data"]
    return dict(found)


def test_rotating_token_is_refreshed_before_it_expires(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    installation_id = connected(site, visitor, "rotation")
    first, calls = only(program)["auth"], len(site.slack.calls("oauth.v2.access"))
    clock.forward(hours=7)
    assert enqueued(site) == []
    site.runtime.token_refresh.refresh(installation_id)
    assert len(site.slack.calls("oauth.v2.access")) == calls
    clock.forward(hours=1)
    assert enqueued(site) == ["refresh_token"]
    assert enqueued(site) == ["refresh_token"], "what waits is not enqueued again"
    site.runtime.token_refresh.refresh(installation_id)
    site.runtime.token_refresh.refresh(installation_id)
    assert len(site.slack.calls("oauth.v2.access")) == calls + 1
    assert only(program)["auth"] != first


def test_refresh_whose_answer_was_lost_succeeds_soon_after(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    installation_id = connected(site, visitor, "rotation")
    before = only(program)
    clock.forward(hours=8)
    site.slack.drops_connection("oauth.v2.access", after=True)
    site.runtime.token_refresh.refresh(installation_id)
    assert only(program) == before
    clock.forward(seconds=15)
    site.runtime.token_refresh.refresh(installation_id)
    assert (only(program)["auth"] != before["auth"], only(program)["status"]) == (True, "healthy")


def test_refused_refresh_breaks_the_connection_once(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    installation_id = connected(site, visitor, "rotation")
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    clock.forward(hours=8)
    site.runtime.token_refresh.refresh(installation_id)
    reason = "Slack no longer accepts the refresh token, so the access could not be renewed."
    assert (only(program)["status"], only(program)["statusReason"]) == ("needs_reconnect", reason)
    assert actions(site) == [("connection.broken", reason)]
    calls = len(site.slack.calls("oauth.v2.access"))
    clock.forward(hours=1)
    site.runtime.token_refresh.refresh(installation_id)
    assert (enqueued(site), len(site.slack.calls("oauth.v2.access"))) == ([], calls)


def test_reading_a_connection_never_refreshes(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    connected(site, visitor, "rotation")
    calls = len(site.slack.calls())
    clock.forward(hours=13)
    program.asks("GET", f"/v1/channel-connections/{only(program)['identifier']}")
    assert len(site.slack.calls()) == calls


def test_checks_wait_for_an_hour_before_they_call_slack_unreachable(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    installation_id = connected(site, visitor)
    clock.forward(hours=24)
    assert enqueued(site) == ["check_installation"]
    site.slack.fails("auth.test", "status_500", times=3)
    for minutes, status in ((0, "healthy"), (59, "healthy"), (1, "unreachable")):
        clock.forward(minutes=minutes)
        site.runtime.connections.check(installation_id)
        assert only(program)["status"] == status
    reason = str(only(program)["statusReason"])
    assert reason.startswith("Slack has not answered since ")
    site.runtime.connections.check(installation_id)
    assert (only(program)["status"], "statusReason" in only(program)) == ("healthy", False)
    assert actions(site) == [("connection.healed", ""), ("connection.unreachable", reason)]


def test_refreshes_without_an_answer_make_a_connection_unreachable_as_well(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    installation_id = connected(site, visitor, "rotation")
    clock.forward(hours=8)
    site.slack.fails("oauth.v2.access", "status_500", times=2)
    for minutes, status in ((0, "healthy"), (61, "unreachable"), (1, "healthy")):
        clock.forward(minutes=minutes)
        site.runtime.token_refresh.refresh(installation_id)
        assert only(program)["status"] == status


def test_check_waits_as_long_as_slack_asks(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    installation_id = connected(site, visitor)
    site.slack.fails("auth.test", "ratelimited", retry_after=100)
    site.runtime.connections.check(installation_id)
    clock.forward(seconds=99)
    assert enqueued(site) == []
    clock.forward(seconds=2)
    assert enqueued(site) == ["check_installation"]
    assert actions(site) == []


def test_check_learns_which_permissions_have_changed(
    site: Site, visitor: BrowserClient, operator: BrowserClient, program: Program
) -> None:
    installation_id = connected(site, visitor)
    with site.slack.changing() as ledger:
        (token,) = ledger.tokens.values()
        token.scopes = ["chat:write", "channels:read", "files:write"]
    for _ in range(2):
        site.runtime.connections.check(installation_id)
    assert only(program)["scopes"] == ["chat:write", "channels:read", "files:write"]
    assert only(program)["next"] == ["update_permissions"]
    assert actions(site) == [("connection.permissions_changed", "+files:write -chat:write.public -groups:read")]
    page = operator.opens(f"/connections/{only(program)['identifier']}")
    assert "fewer permissions than the Slack app asks for" in page.text


def test_check_learns_the_new_name_of_the_workspace(
    site: Site, visitor: BrowserClient, operator: BrowserClient, program: Program
) -> None:
    """Without the scope `team:read`, Slack sends no `team_rename`."""
    installation_id, before = connected(site, visitor), only(program)
    site.runtime.connections.check(installation_id)
    assert only(program)["updatedAt"] == before["updatedAt"], "the same name is no change"
    assert admins.rename_workspace(site.slack, "T0ACMEHQ01", "Umbra")
    for _ in range(2):
        site.runtime.connections.check(installation_id)
    assert only(program)["workspace"] == before["workspace"] | {"name": "Umbra"}
    assert actions(site) == [("connection.renamed", "name")]
    assert "Umbra" in operator.opens("/connections?q=umbra").text


def test_check_keeps_the_name_that_an_api_caller_gave_the_workspace(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    connected(site, visitor)
    with site.slack.reading() as ledger:
        (token,) = ledger.tokens
    workspace = {"id": "T0ACMEHQ01", "name": "Ours"}
    sent = {"workspace": workspace, "auth": {"accessToken": token}}
    address = f"/v1/channel-connections/{only(program)['identifier']}"
    assert program.asks("PATCH", address, sent).status_code == 200
    assert program.asks("POST", f"{address}/verify").json()["status"] == "healthy"
    assert only(program)["workspace"] == workspace


@pytest.mark.slow
def test_twenty_callers_in_two_processes_cause_one_refresh(
    site: Site, visitor: BrowserClient, program: Program, tmp_path: Path
) -> None:
    connected(site, visitor, "rotation")
    calls, identifier, gate = (
        len(site.slack.calls("oauth.v2.access")),
        str(only(program)["identifier"]),
        tmp_path / "go",
    )
    environment = {
        "PORT": str(site.settings.port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
    }
    command = [sys.executable, "-m", "tests.jobs.callers", identifier, str(gate)]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    assert until(lambda: len(list(tmp_path.glob("go.*"))) == len(running), 60)
    gate.touch()
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(site.slack.calls("oauth.v2.access")) == calls + 1
