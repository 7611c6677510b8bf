"""Any order of pressed buttons, in several browsers: people get no further than their links allow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from onboarding.callers import SHELL
from onboarding.jobs import sweep
from onboarding.outcomes import Outcome
from onboarding.services.connections.records import ConsoleSearch
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.state_machines import walk

pytestmark = [pytest.mark.once, pytest.mark.slow]

WORKSPACES = ("T0ACMEHQ01", "T0ACMETEST")
LINKS: dict[str, dict[str, Any]] = {
    "bea": {"subscriber_id": "bea", "mode": "subscriber"},
    "cy in HQ": {"subscriber_id": "cy", "mode": "subscriber", "workspace_id": WORKSPACES[0]},
    "bea of one": {"subscriber_id": "bea", "mode": "subscriber", "offered_context_keys": ("t:a", "t:b")},
    "open": {"is_open": True},
}
places, owners = st.sampled_from(WORKSPACES), st.sampled_from(["bea", "dan"])
#: The hooks of buttons, those that continue an install first.
ACTIONS = ("connect", "try-again", "choose-again", "replace", "do-not-connect", "save", "ask-admin", "allow", "cancel")


@dataclass
class Link:
    """A link. `family()` returns the customer's link of which this is an approval, or the link itself."""

    url: str = field(repr=False)
    kind: str
    parent: "Link | None" = None
    is_revoked: bool = False
    used_by: int | None = None

    def family(self) -> "Link":
        return self.parent.family() if self.parent else self


@dataclass
class Seen:
    """A page that is still open in a browser. `may_replace`: another workspace may replace the old one."""

    page: Page = field(repr=False)
    browser: int
    link: Link
    may_replace: bool = False
    actions: list[str] = field(default_factory=list)


@dataclass
class Scene:
    site: Site
    clock: Clock


@pytest.fixture
def scene(start_site: Callable[..., Site], clock: Clock) -> Scene:
    return Scene(start_site(), clock)


class Held(NamedTuple):
    identifier: str
    workspace: str
    changed_at: datetime


class LinkMachine(RuleBasedStateMachine):
    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.browsers = [BrowserClient(scene.site), BrowserClient(scene.site)]
        self.links: list[Link] = []
        self.seen: list[Seen] = []

    def teardown(self) -> None:
        self.scene.clock.forward(minutes=30)
        sweep.run_steps(self.scene.site.runtime)
        used = {one.workspace for one in self.held().values()}
        installed = {one.workspace_id for one in self.scene.site.slack.installations()}
        assert installed == used, (installed, used)
        for one in self.held().values():
            self.scene.site.runtime.connections.disconnect(self.environment, one.identifier, SHELL)
        # An approval that can still be used would change what the pages of the next walk offer.
        for link in self.links:
            self.scene.site.revoke_link(link.url)
        self.scene.site.slack.reset()
        for browser in self.browsers:
            browser.__exit__()

    @property
    def environment(self) -> str:
        return self.scene.site.runtime.environments.first().id

    def held(self) -> dict[tuple[str | None, tuple[str, ...]], Held]:
        rows = self.scene.site.runtime.connections.page(self.environment, ConsoleSearch(), None, None).rows
        return {
            (row.subscriber_id, row.context_keys): Held(row.identifier, row.workspace_id, row.updated_at)
            for row in rows
        }

    @precondition(lambda self: len(self.links) < 4)
    @rule(kind=st.sampled_from(sorted(LINKS)))
    def link_is_made(self, kind: str) -> None:
        self.links.append(Link(self.scene.site.link(**LINKS[kind]), kind))

    @precondition(lambda self: self.links)
    @rule(data=st.data(), browser=st.integers(0, 1), steps=st.integers(0, 3), place=places, owner=owners)
    def link_is_opened(self, data: st.DataObject, browser: int, steps: int, place: str, owner: str) -> None:
        link = data.draw(st.sampled_from(self.links), "link")
        seen = self.see(self.browsers[browser].opens(link.url), browser, link, False)
        for _ in range(steps):
            if seen is not None and (on := [one for one in seen.actions if one in ("connect", "allow", "save")]):
                seen = self.press(seen, on[0], place, owner)

    @precondition(lambda self: self.ahead())
    @rule(data=st.data(), place=places, owner=owners)
    def somebody_goes_on(self, data: st.DataObject, place: str, owner: str) -> None:
        seen = data.draw(st.sampled_from(self.ahead()), "page")
        self.press(seen, next(one for one in ("allow", "save") if one in seen.actions), place, owner)

    def ahead(self) -> list[Seen]:
        return [one for one in self.seen if {"allow", "save"} & set(one.actions)]

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), place=places, owner=owners)
    def something_is_pressed(self, data: st.DataObject, place: str, owner: str) -> None:
        seen = data.draw(st.sampled_from(self.seen), "page")
        self.press(seen, data.draw(st.sampled_from(seen.actions), "action"), place, owner)

    def press(self, seen: Seen, action: str, place: str, owner: str) -> Seen | None:
        wants_other = owner == "dan"
        filled: dict[str, str] = {}
        may_replace = seen.may_replace or action == "replace"
        if action == "allow":
            filled = {"workspace": place}
        elif action == "save":
            filled = self.choice(seen, owner)
        elif action in ("connect", "try-again", "choose-again"):
            may_replace = wants_other and seen.page.outcome == "already_connected"
            filled = {"intent": "other_workspace"} if may_replace else {}
        before = self.held()
        page = self.browsers[seen.browser].presses(seen.page, action, **filled)
        after = self.held()
        self.judge(seen, page, before, after, may_replace)
        return self.see(page, seen.browser, seen.link, may_replace)

    def choice(self, seen: Seen, owner: str) -> dict[str, str]:
        if seen.link.kind == "open":
            return {"connection_mode": "subscriber", "subscriber_id": owner}
        return {"offered_context": "t:a" if owner == "bea" else "t:b"}

    def judge(self, seen: Seen, page: Page, before: Any, after: Any, may_replace: bool) -> None:
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if not changed:
            return
        (key,) = changed
        was, now, root = before.get(key), after[key], seen.link.family()
        assert Outcome(page.outcome or "").is_success, page.text
        assert was is None or was.identifier == now.identifier
        assert (root.is_revoked, seen.link.is_revoked) == (False, False)
        if root.kind == "open":
            assert (was, root.used_by) == (None, None), "an open link makes one new connection"
        elif root.kind == "bea of one":
            assert key in [("bea", ("t:a",)), ("bea", ("t:b",))]
        else:
            assert key == (root.kind.split()[0], ())
        if was is not None and was.workspace != now.workspace:
            assert may_replace, "a workspace took another's place without being asked"
            assert root.used_by in (None, seen.browser), "another browser changed what a used link connected"
        if root.kind == "cy in HQ" and not may_replace:
            assert now.workspace == WORKSPACES[0]
        root.used_by = seen.browser
        assert self.works(now), "connected, and Slack does not take the token"

    def works(self, one: Held) -> bool:
        connections = self.scene.site.runtime.connections
        token = connections.retrieve(self.scene.site.caller(), one.identifier).access_token or ""
        with self.scene.site.slack.reading() as ledger:
            found = ledger.tokens.get(token)
            return found is not None and found.ended is None and found.workspace_id == one.workspace

    def see(self, page: Page, browser: int, link: Link, may_replace: bool) -> Seen | None:
        assert page.status != 500 or page.outcome == "config_error", page.text
        offered = {one.get("data-action") for one in page.root.iter("button")} & set(ACTIONS)
        if page.outcome == "awaiting_approval":
            code = next(one for one in page.root.iter("code") if one.get("id") == "approval-url")
            url = "".join(code.itertext())
            if url not in {one.url for one in self.links}:
                self.links.append(Link(url, link.kind, link))
        if not offered:
            return None
        self.seen.append(Seen(page, browser, link, may_replace, [one for one in ACTIONS if one in offered]))
        return self.seen[-1]

    @precondition(lambda self: self.links)
    @rule(data=st.data(), chance=st.integers(0, 3))
    def link_is_revoked(self, data: st.DataObject, chance: int) -> None:
        if chance:
            return  # Rarely: little can happen after it.
        link = data.draw(st.sampled_from(self.links), "link")
        self.scene.site.revoke_link(link.url)
        link.is_revoked = True

    @rule(minutes=st.sampled_from([4, 11]), sweeps=st.booleans())
    def time_passes(self, minutes: int, sweeps: bool) -> None:
        self.scene.clock.forward(minutes=minutes)
        if sweeps:
            sweep.run_steps(self.scene.site.runtime)

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def operator_disconnects(self, data: st.DataObject) -> None:
        # By customer: identifiers are random, and the walk has to be the same in every run.
        held = [one for _customer, one in sorted(self.held().items(), key=str)]
        one = data.draw(st.sampled_from(held))
        self.scene.site.runtime.connections.disconnect(self.environment, one.identifier, SHELL)


def test_any_order_leaves_each_customer_with_the_right_connection(scene: Scene) -> None:
    walk(lambda: LinkMachine(scene), walks=50, steps=30)
