"""Slack's events in any order and number, before and after the app was installed again, end in the right state."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.browser_client import client_of
from tests.hooks.conftest import Organization, Scene, installs
from tests.hooks.test_slack_events import connects, shown
from tests.state_machines import walk

WORKSPACE = "T0ACMETEST"
#: In seconds. Times decide about an event only if they differ by more than five minutes; else Slack is asked.
PAUSES = st.sampled_from([0, 1, 2, 301])


@dataclass
class Sent:
    """An event, which Slack may deliver late, twice, or after a newer one."""

    event: dict[str, Any]
    #: The number of the removal that it reports.
    removal: int
    is_delivered: bool = False


class RemovalMachine(RuleBasedStateMachine):
    """A workspace whose people remove the app and install it again. Each removal has two events."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene, self.person = scene, client_of(scene.site)
        self.sent: list[Sent] = []
        self.removals, self.is_installed, self.identifier = 0, False, ""

    @initialize()
    def begins(self) -> None:
        self.installs()

    @rule()
    def installs(self) -> None:
        """Also while the app is installed: people repeat an install."""
        installs(self.person, self.scene.site.link(mode="subscriber", subscriber_id="pat"), WORKSPACE)
        (found,) = self.scene.program.lists("subscriberId=pat&connectionMode=subscriber")
        assert found == (self.identifier or found)
        self.identifier, self.is_installed = found, True

    @precondition(lambda self: self.is_installed)
    @rule()
    def removes(self) -> None:
        slack, bot = self.scene.slack, shown(self.scene, self.identifier)["workspace"]["botUserId"]
        assert self.scene.site.slack.removes_app(slack.client_id, WORKSPACE)
        self.is_installed, self.removals = False, self.removals + 1
        revoked = slack.event("tokens_revoked", WORKSPACE, tokens={"oauth": [], "bot": [bot]})
        uninstalled = slack.event("app_uninstalled", WORKSPACE)
        self.sent += [Sent(revoked, self.removals), Sent(uninstalled, self.removals)]

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: int) -> None:
        self.scene.clock.forward(seconds=seconds)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def receives(self, data: st.DataObject) -> None:
        self.deliver(data.draw(st.sampled_from(self.sent)))

    def deliver(self, one: Sent) -> None:
        self.scene.slack.delivers(one.event)
        one.is_delivered = True

    @invariant()
    def access_that_works_is_kept_and_ended_access_is_erased(self) -> None:
        is_reported = any(one.is_delivered and one.removal == self.removals for one in self.sent)
        if not self.is_installed and not is_reported:
            return
        found = shown(self.scene, self.identifier)
        assert found["status"] == ("healthy" if self.is_installed else "disconnected")
        assert bool(found["auth"]["accessToken"]) == self.is_installed

    def teardown(self) -> None:
        for one in reversed(self.sent):
            self.deliver(one)
        self.access_that_works_is_kept_and_ended_access_is_erased()
        self.scene.program.asks("DELETE", f"/v1/channel-connections/{self.identifier}?revoke=true")
        self.person.close()


class AccessMachine(RuleBasedStateMachine):
    """An organization whose admins add the app to a workspace and remove it."""

    def __init__(self, organization: Organization) -> None:
        super().__init__()
        self.organization = organization
        self.sent: list[dict[str, Any]] = []
        self.is_added, self.is_newest_delivered = True, False

    @rule()
    def changes(self) -> None:
        (self.organization.removes if self.is_added else self.organization.adds)()
        self.is_added, self.is_newest_delivered = not self.is_added, False
        self.sent.append(self.organization.event(f"team_access_{'granted' if self.is_added else 'revoked'}"))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def receives(self, data: st.DataObject) -> None:
        self.deliver(data.draw(st.sampled_from(self.sent)))

    def deliver(self, one: dict[str, Any]) -> None:
        self.organization.slack.delivers(one)
        self.is_newest_delivered = self.is_newest_delivered or one == self.sent[-1]

    @invariant()
    def status_is_what_slack_says(self) -> None:
        if self.is_newest_delivered:
            assert self.organization.status == ("healthy" if self.is_added else "needs_reconnect")

    def teardown(self) -> None:
        for one in reversed(self.sent):
            self.deliver(one)
        self.status_is_what_slack_says()
        if not self.is_added:
            self.organization.adds()


def test_removals_and_installs_in_any_order_end_in_the_right_state(scene: Scene) -> None:
    walk(lambda: RemovalMachine(scene), walks=6, steps=10)


def test_events_about_workspaces_of_an_organization_end_in_the_right_state(organization: Organization) -> None:
    walk(lambda: AccessMachine(organization), walks=4, steps=8)


def test_workspace_keeps_its_newest_name_in_each_order(scene: Scene) -> None:
    identifier = connects(scene, "nora", WORKSPACE)
    for order in permutations(range(3)):
        sent = []
        for number in range(3):
            scene.clock.forward(seconds=2)
            sent.append(scene.slack.event("team_rename", WORKSPACE, name=f"{order} {number}"))
        scene.slack.delivers(*(sent[number] for number in (*order, *order)))
        assert shown(scene, identifier)["workspace"]["name"] == f"{order} 2"
