"""An organization's admin adds the app to workspaces and removes it: the organization's connections follow."""

import pytest

from onboarding.practice import admins
from onboarding.store import installations
from tests.browser_client import BrowserClient
from tests.hooks.conftest import Organization, Scene
from tests.hooks.sender import Sender
from tests.hooks.test_slack_events import audited, hook
from tests.practice.walk import ACME, DESIGN, GROUP

GRANTED, REVOKED = "team_access_granted", "team_access_revoked"


def test_connection_follows_the_app_out_of_a_workspace_and_back(organization: Organization) -> None:
    organization.removes()
    organization.hears(REVOKED)
    found = organization.shown()
    assert (found["status"], found["next"]) == ("needs_reconnect", ["reconnect"])
    assert str(found["statusReason"]).startswith("The organization's admin removed the app from this workspace.")
    assert found["auth"]["accessToken"], "the token stays valid for the other workspaces"
    organization.adds()
    with hook(organization.scene, "connection.healed") as bodies:
        organization.hears(GRANTED)
    assert organization.status == "healthy"
    assert '"cause":"team_access_granted","previous":{"status":"needs_reconnect"}' in bodies[0]
    recorded = [entry for entry in audited(organization.scene, organization.connection) if entry[0] == "slack"]
    assert recorded == [("slack", "connection.broken", REVOKED), ("slack", "connection.healed", GRANTED)]


def test_events_in_the_wrong_order_end_with_what_slack_says(organization: Organization) -> None:
    organization.hears(GRANTED, REVOKED, REVOKED)
    assert organization.status == "healthy"
    organization.removes()
    organization.hears(REVOKED, GRANTED)
    assert organization.status == "needs_reconnect"


def test_other_workspaces_are_left_alone(organization: Organization) -> None:
    before = organization.status
    organization.removes()
    organization.hears(REVOKED, team="T0SOMEWHERE")
    assert organization.status == before


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
def test_token_that_a_program_sent_is_checked_when_the_organization_ends_the_access(
    kind: str, organization: Organization
) -> None:
    scene, slack = organization.scene, organization.slack
    checks_due(scene)
    assert organization.status == "unknown"
    scene.site.slack.removes_app(slack.client_id, GROUP)
    slack.delivers({**slack.event(kind, None, tokens={"bot": [], "oauth": []}), "enterprise_id": GROUP})
    checks_due(scene)
    assert organization.status == "needs_reconnect"


def test_organizations_token_is_healthy_in_a_workspace_that_has_the_app(organization: Organization) -> None:
    verify = f"/v1/channel-connections/{organization.connection}/verify"
    program = organization.scene.program
    assert program.asks("POST", verify).json()["status"] == "healthy"
    organization.removes()
    checked = program.asks("POST", verify).json()
    assert checked["status"] == "needs_reconnect"
    assert checked["statusReason"].startswith("The organization's admin removed the app from this workspace.")
    organization.adds()
    assert program.asks("POST", verify).json()["status"] == "healthy"


@pytest.mark.parametrize("asked", [ACME, DESIGN, GROUP])
def test_workspaces_that_share_an_organizations_token_have_their_own_status(scene: Scene, asked: str) -> None:
    name = f"slack-org-shared-{asked}"
    scene.site.add_practice_app(name, "Org")
    slack = Sender(scene.site, scene.clock, name)
    with BrowserClient(scene.site) as person:
        link = scene.site.link(name, mode="subscriber", subscriber_id="first")
        person.connects(link, workspace=GROUP, scenario="rotation")
    (whole,) = scene.program.asks("GET", f"/v1/channel-connections?integrationIdentifier={name}").json()["data"]
    scene.program.asks("DELETE", f"/v1/channel-connections/{whole['identifier']}?revoke=false")
    with scene.site.slack.reading() as ledger:
        (refresh_token,) = (one for one, token in ledger.refresh_tokens.items() if token.client_id == slack.client_id)
    assert admins.add_to_workspace(scene.site.slack, slack.client_id, DESIGN)
    auth = {"accessToken": whole["auth"]["accessToken"], "refreshToken": refresh_token}
    # The first and therefore oldest connection names a workspace outside the organization.
    for workspace in (ACME, DESIGN, GROUP):
        given = {"integrationIdentifier": name, "workspace": {"id": workspace}, "auth": auth}
        scene.program.creates(**given, identifier=f"{asked}-{workspace}", subscriberId=workspace)
    assert verified(scene, asked) == {ACME: "needs_reconnect", DESIGN: "healthy", GROUP: "healthy"}
    admins.remove_from_workspace(scene.site.slack, slack.client_id, DESIGN)
    after = {ACME: "needs_reconnect", DESIGN: "needs_reconnect", GROUP: "healthy"}
    assert verified(scene, asked) == after
    scene.clock.forward(hours=25)
    checks_due(scene)
    assert statuses(scene, asked) == after


def verified(scene: Scene, asked: str) -> dict[str, str]:
    """Check one of the connections that share a token, and return the status of each by its workspace."""
    scene.clock.forward(minutes=1)
    assert scene.program.asks("POST", f"/v1/channel-connections/{asked}-{asked}/verify").status_code == 200
    return statuses(scene, asked)


def statuses(scene: Scene, asked: str) -> dict[str, str]:
    query = f"/v1/channel-connections?integrationIdentifier=slack-org-shared-{asked}"
    return {one["workspace"]["id"]: one["status"] for one in scene.program.asks("GET", query).json()["data"]}


def test_rotating_token_of_an_organization_is_refreshed_for_its_workspace(scene: Scene) -> None:
    scene.site.add_practice_app("slack-org-rotating", "Org")
    slack = Sender(scene.site, scene.clock, "slack-org-rotating")
    with BrowserClient(scene.site) as person:
        link = scene.site.link("slack-org-rotating", mode="subscriber", subscriber_id="rotating-org")
        person.connects(link, workspace=GROUP, scenario="rotation")
    (whole,) = scene.program.asks("GET", "/v1/channel-connections?subscriberId=rotating-org").json()["data"]
    scene.program.asks("DELETE", f"/v1/channel-connections/{whole['identifier']}?revoke=false")
    with scene.site.slack.reading() as ledger:
        (refresh_token,) = (one for one, token in ledger.refresh_tokens.items() if token.client_id == slack.client_id)
    assert admins.add_to_workspace(scene.site.slack, slack.client_id, DESIGN)
    created = scene.program.creates(
        integrationIdentifier="slack-org-rotating",
        subscriberId="design-rotating",
        workspace={"id": DESIGN, "name": "Meridian Design"},
        auth={"accessToken": whole["auth"]["accessToken"], "refreshToken": refresh_token},
    ).json()
    verify = f"/v1/channel-connections/{created['identifier']}/verify"
    checked = scene.program.asks("POST", verify).json()
    assert (checked["status"], checked.get("statusReason")) == ("healthy", None)
    assert checked["auth"]["accessToken"] != whole["auth"]["accessToken"]
    admins.remove_from_workspace(scene.site.slack, slack.client_id, DESIGN)
    scene.clock.forward(minutes=1)
    assert scene.program.asks("POST", verify).json()["status"] == "needs_reconnect"
    scene.clock.forward(minutes=1)
    with hook(scene, "connection.healed") as bodies:
        assert scene.program.asks("POST", verify).json()["status"] == "needs_reconnect", "the refresh heals nothing"
    assert bodies == []


def test_event_waits_while_slack_cannot_be_asked(organization: Organization) -> None:
    organization.removes()
    organization.scene.site.slack.fails("auth.teams.list", "status_500")
    organization.hears(REVOKED)
    assert organization.status == "unknown"
    # The next event lets the waiting one be handled, too.
    organization.hears(REVOKED)
    assert organization.status == "needs_reconnect"


def checks_due(scene: Scene) -> None:
    """Check the tokens whose time has come, as the worker does."""
    with scene.site.runtime.database.rows() as rows:
        due = installations.due(rows, "check_at", scene.clock(), 100)
    for installation_id in due:
        scene.site.runtime.connections.check(installation_id)
