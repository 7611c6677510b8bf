"""An organization's admin adds the app to workspaces and removes it: the organization's connections follow."""

from tests.hooks.conftest import Organization
from tests.hooks.test_slack_events import audited

GRANTED, REVOKED = "team_access_granted", "team_access_revoked"


def test_connection_follows_the_app_out_of_a_workspace_and_back(organization: Organization) -> None:
    organization.removes()
    organization.hears(REVOKED)
    found = organization.shown()
    assert (found["status"], found["next"]) == ("needs_reconnect", ["reconnect"])
    assert str(found["statusReason"]).startswith("The organization's admin removed the app from this workspace.")
    assert found["auth"]["accessToken"], "the token stays valid for the other workspaces"
    organization.adds()
    organization.hears(GRANTED)
    assert organization.status == "healthy"
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


def test_event_waits_while_slack_cannot_be_asked(organization: Organization) -> None:
    organization.removes()
    organization.scene.site.slack.fails("auth.teams.list", "status_500")
    organization.hears(REVOKED)
    assert organization.status == "unknown"
    # The next one handles the event that waits as well.
    organization.hears(REVOKED)
    assert organization.status == "needs_reconnect"
