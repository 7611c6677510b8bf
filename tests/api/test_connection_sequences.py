"""Any order of installs, given credentials, checks, disconnects and changes in Slack leaves the connections correct."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock
from tests.state_machines import walk

pytestmark = pytest.mark.slow

LIST = "/v1/channel-connections"
WORKSPACES = ("T0ACMEHQ01", "T0ACMETEST")
#: The owner of a connection: two for one subscriber, one shared.
OWNERS: dict[str, dict[str, Any]] = {
    "bea": {"mode": "subscriber", "subscriber_id": "bea"},
    "bea of acme": {"mode": "subscriber", "subscriber_id": "bea", "context_keys": ("tenant:acme",)},
    "acme": {"mode": "shared", "context_keys": ("tenant:acme",)},
}
owners, places = st.sampled_from(sorted(OWNERS)), st.sampled_from(WORKSPACES)


@dataclass
class Scene:
    site: Site
    clock: Clock
    person: BrowserClient
    program: Program


@dataclass
class Known:
    identifier: str
    workspace: str
    #: A person allowed it in Slack: its access is the workspace's one installation.
    installed: bool


@pytest.fixture
def scene(start_site: Callable[..., Site], clock: Clock) -> Iterator[Scene]:
    site = start_site(api_rate_limit=1_000_000)
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    key = site.api_key("program", "Development")
    with BrowserClient(site) as person:
        yield Scene(site, clock, person, Program(site, key))


class ConnectionMachine(RuleBasedStateMachine):
    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene, self.known = scene, dict[str, Known]()

    def teardown(self) -> None:
        for known in self.known.values():
            self.scene.program.asks("DELETE", f"{LIST}/{known.identifier}")
        self.scene.site.slack.reset()

    # Actions of people and API callers.

    @rule(owner=owners, place=places, rotates=st.booleans())
    def installs(self, owner: str, place: str, rotates: bool) -> None:
        link = self.scene.site.link(INTEGRATION, **OWNERS[owner])
        before, person = self.known.get(owner), self.scene.person
        page = person.opens(link)
        assert (page.outcome == "already_connected") == (before is not None)
        intent = {"intent": "other_workspace"} if before and before.workspace != place else {}
        done = person.allows(
            person.presses(page, "connect", **intent), workspace=place, scenario="rotation" if rotates else ""
        )
        assert done.outcome == ("reconnected" if before else "connected"), done.text
        shown = self.shown()
        (identifier,) = set(shown) - {known.identifier for name, known in self.known.items() if name != owner}
        assert before is None or identifier == before.identifier
        self.known[owner] = Known(identifier, place, installed=True)
        assert shown[identifier]["status"] == "healthy"

    @rule(owner=owners, place=places, pick=st.integers(0, 3))
    def program_gives(self, owner: str, place: str, pick: int) -> None:
        """Create or update with credentials that Slack knows, of this workspace or another, or with invented ones."""
        before = self.known.get(owner)
        credentials = {"workspace": {"id": place, "name": place}, "auth": self.credentials(pick)}
        if before is None:
            fixed = OWNERS[owner]
            context = {"tenant": "acme"} if fixed.get("context_keys") else None
            named = {"subscriberId": fixed.get("subscriber_id"), "context": context}
            answer = self.scene.program.creates(connectionMode=fixed["mode"], **named, **credentials)
        else:
            answer = self.scene.program.asks("PATCH", f"{LIST}/{before.identifier}", credentials)
        assert answer.status_code == (200 if before else 201), answer.text
        identifier = answer.json()["identifier"]
        assert before is None or identifier == before.identifier
        assert answer.json()["status"] == "unknown"
        self.known[owner] = Known(identifier, place, installed=False)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def is_checked(self, data: st.DataObject) -> None:
        self.check(self.known[data.draw(st.sampled_from(sorted(self.known)))])

    def check(self, known: Known) -> None:
        answer = self.scene.program.asks("POST", f"{LIST}/{known.identifier}/verify")
        assert answer.status_code == 200, answer.text
        one = answer.json()
        assert one["status"] == ("healthy" if self.works(one) else "needs_reconnect"), one

    @precondition(lambda self: self.known)
    @rule(data=st.data(), revokes=st.booleans())
    def ends(self, data: st.DataObject, revokes: bool) -> None:
        known = self.known.pop(data.draw(st.sampled_from(sorted(self.known))))
        had = self.places()
        one = self.shown()[known.identifier]
        works = self.works(one)
        answer = self.scene.program.asks("DELETE", f"{LIST}/{known.identifier}?revoke={str(revokes).lower()}")
        assert answer.status_code == 204
        gone = had - self.places()
        beside = [other for other in self.known.values() if other.workspace == known.workspace]
        if not revokes or beside:
            assert gone == set()
        elif works:
            assert gone == {known.workspace}
        else:
            assert gone <= {known.workspace}

    # Events in Slack.

    @rule(place=places, is_noticed=st.booleans())
    def somebody_removes_the_app(self, place: str, is_noticed: bool) -> None:
        for one in self.scene.site.slack.installations():
            if one.workspace_id == place:
                self.scene.site.slack.removes_app(one.client_id, place)
        if is_noticed:
            for known in self.known.values():
                self.check(known)

    @rule()
    def hours_pass(self) -> None:
        """A rotating token is valid for twelve hours."""
        self.scene.site.slack.moves_clock(13 * 3600)
        self.scene.clock.forward(hours=13)

    # Invariants.

    @invariant()
    def the_list_is_correct(self) -> None:
        shown = self.shown()
        self.each_has_one_connection_of_its_workspace(shown)
        self.access_that_works_is_not_said_to_be_broken(shown)
        self.no_connection_uses_a_replaced_token(shown)

    def each_has_one_connection_of_its_workspace(self, shown: dict[str, Any]) -> None:
        assert {name: one["workspace"]["id"] for name, one in shown.items()} == {
            known.identifier: known.workspace for known in self.known.values()
        }

    def access_that_works_is_not_said_to_be_broken(self, shown: dict[str, Any]) -> None:
        for one in shown.values():
            assert one["status"] in ("healthy", "unknown") or not self.works(one), one

    def no_connection_uses_a_replaced_token(self, shown: dict[str, Any]) -> None:
        """Check that connections that were installed in a workspace share its newest access."""
        for place in WORKSPACES:
            shared = {
                shown[known.identifier]["auth"]["accessToken"]
                for known in self.known.values()
                if known.installed and known.workspace == place
            }
            assert len(shared) <= 1

    def shown(self) -> dict[str, Any]:
        answer = self.scene.program.asks("GET", LIST)
        assert answer.status_code == 200, answer.text
        return {one["identifier"]: one for one in answer.json()["data"]}

    def works(self, one: dict[str, Any]) -> bool:
        """Return whether Slack accepts the token, for the connection's workspace."""
        slack = self.scene.site.slack
        with slack.reading() as ledger:
            found = ledger.tokens.get(one["auth"]["accessToken"])
            if found is None or found.ended or (found.expires_at is not None and found.expires_at <= slack.now()):
                return False
            return bool(found.workspace_id == one["workspace"]["id"])

    def credentials(self, pick: int) -> dict[str, str]:
        with self.scene.site.slack.reading() as ledger:
            tokens = [{"accessToken": one} for one in ledger.tokens]
            pairs = [{**tokens[-1], "refreshToken": one} for one in ledger.refresh_tokens] if tokens else []
        return [*tokens, *pairs, {"accessToken": "xoxb-made-up"}][-1 - pick % (len(tokens) + len(pairs) + 1)]

    def places(self) -> set[str]:
        return {one.workspace_id for one in self.scene.site.slack.installations()}


def test_any_order_leaves_responses_correct(scene: Scene) -> None:
    walk(lambda: ConnectionMachine(scene), walks=16, steps=20)
