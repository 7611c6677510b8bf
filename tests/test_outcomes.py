"""Every row of the outcome table, produced by people and the practice Slack."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from onboarding.outcomes import OUTCOMES, Outcome
from tests import full_disk
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.pages.test_too_many_attempts import LIMIT, fails


@dataclass(frozen=True)
class Scene:
    site: Site
    visitor: BrowserClient
    clock: Clock


@dataclass(frozen=True)
class Row:
    """Steps to an outcome, the heading of its page, and the next action of the person."""

    happens: Callable[[Scene], Page]
    heading: str
    #: A hook of docs/hooks.md, or a part of the page's text if there is no button.
    way_on: str
    has_attempt: bool = True


def _consent_ends(scenario: str) -> Callable[[Scene], Page]:
    return lambda scene: scene.visitor.connects(scene.site.link(), scenario=scenario)


def _reconnected(scene: Scene) -> Page:
    scene.visitor.connects(scene.site.link())
    return scene.visitor.connects(scene.site.link())


def _replayed(scene: Scene) -> Page:
    callback = _callback(scene)
    scene.visitor.opens(callback)
    return scene.visitor.opens(callback)


def _awaiting_approval(scene: Scene) -> Page:
    return scene.visitor.presses(scene.visitor.opens(scene.site.link()), "ask-admin")


def _link_expired(scene: Scene) -> Page:
    link = scene.site.link()
    scene.clock.forward(days=8)
    return scene.visitor.opens(link)


def _link_revoked(scene: Scene) -> Page:
    link = scene.site.link()
    assert scene.site.revoke_link(link)
    return scene.visitor.opens(link)


def _link_used(scene: Scene) -> Page:
    link = scene.site.link()
    with BrowserClient(scene.site) as other:
        other.connects(link)
    return scene.visitor.opens(link)


def _link_tampered(scene: Scene) -> Page:
    link = scene.site.link()
    return scene.visitor.opens(link[:-1] + ("A" if link[-1] != "A" else "Q"))


def _state_expired(scene: Scene) -> Page:
    consent = scene.visitor.presses(scene.visitor.opens(scene.site.link()), "connect")
    scene.clock.forward(minutes=11)
    return scene.visitor.allows(consent)


def _other_browser(scene: Scene) -> Page:
    consent = scene.visitor.presses(scene.visitor.opens(scene.site.link()), "connect")
    with BrowserClient(scene.site) as other:
        return other.allows(other.opens(consent.url))


def _already_connected(scene: Scene) -> Page:
    scene.visitor.connects(scene.site.link())
    return scene.visitor.opens(scene.site.link())


def _wrong_workspace(scene: Scene) -> Page:
    scene.visitor.connects(scene.site.link())
    return scene.visitor.connects(scene.site.link(), workspace="T0ACMETEST")


def _workspace_taken(scene: Scene) -> Page:
    scene.site.add_practice_app("strict", "Strict", "Development", workspace_policy="refuse")
    with BrowserClient(scene.site) as other:
        other.connects(scene.site.link("strict", subscriber_id="ada"))
    return scene.visitor.connects(scene.site.link("strict", subscriber_id="bea"))


def _operator_denied(scene: Scene) -> Page:
    scene.visitor.signs_in("ada@northwind.test")
    consent = scene.visitor.presses(scene.visitor.opens("/slack/install"), "connect")
    scene.site.sign_in_url("ada@northwind.test", "viewer")
    return scene.visitor.allows(consent)


def _too_many_attempts(scene: Scene) -> Page:
    link = scene.site.link()
    fails(scene.visitor, link, LIMIT)
    return scene.visitor.connects(link)


def _storage_error(scene: Scene) -> Page:
    full_disk.where(scene.site, "INSERT ON installations")
    return scene.visitor.connects(scene.site.link())


def _callback(scene: Scene) -> str:
    """Return the address to which Slack sends the visitor back, without opening it."""
    consent = scene.visitor.presses(scene.visitor.opens(scene.site.link()), "connect")
    allowed = {"workspace": "T0ACMEHQ01", "action": "allow"}
    return scene.visitor.asks("POST", consent.url, data=allowed).headers["Location"]


_CONNECTED = "Acme HQ is connected"
_OPEN_THE_LINK = "Open your link again to start over"
ROWS = {
    "connected": Row(_consent_ends("normal"), _CONNECTED, "Try something else"),
    "reconnected": Row(_reconnected, "Acme HQ is reconnected", "Try something else"),
    "replay_ok": Row(_replayed, _CONNECTED, "Try something else"),
    "org_installed": Row(_consent_ends("org_install"), "Installed for your organization", "In Slack’s admin pages"),
    "partial_permissions": Row(_consent_ends("partial_permissions"), _CONNECTED, "try-again"),
    "cancelled": Row(_consent_ends("cancelled"), "Nothing was connected", "try-again"),
    "cancelled_maybe_approval": Row(
        _consent_ends("cancelled_without_description"), "Nothing was connected", "ask-admin"
    ),
    "awaiting_approval": Row(_awaiting_approval, "Your Slack admin needs to approve this", "/connect/"),
    "link_expired": Row(_link_expired, "This link has expired", "for a new one", has_attempt=False),
    "link_revoked": Row(_link_revoked, "This link was turned off", "for a new one", has_attempt=False),
    "link_used": Row(_link_used, "This link was already used", "ask for a new link", has_attempt=False),
    "link_tampered": Row(_link_tampered, "This link is incomplete", "for a new one", has_attempt=False),
    "state_expired": Row(_state_expired, "This took longer than ten minutes", "try-again"),
    "other_browser": Row(_other_browser, "This was started in another browser", "try-again"),
    "state_unknown": Row(
        _consent_ends("state_altered"), "We can’t find this install", _OPEN_THE_LINK, has_attempt=False
    ),
    "code_spent_unknown": Row(_consent_ends("invalid_code"), "Slack’s approval can’t be used any more", "try-again"),
    "no_state": Row(_consent_ends("state_missing"), "Start from Northwind", "Open the link", has_attempt=False),
    "already_connected": Row(_already_connected, "Slack is already connected", "connect", has_attempt=False),
    "wrong_workspace": Row(_wrong_workspace, "You picked a different workspace", "replace"),
    "workspace_taken": Row(_workspace_taken, "This workspace is connected to another account", "try-again"),
    "config_error": Row(_consent_ends("bad_client_secret"), "We could not finish connecting", "try-again"),
    "storage_error": Row(_storage_error, "We could not finish connecting", "try-again"),
    "policy_denied": Row(
        _consent_ends("enterprise_is_restricted"), "Your Slack settings do not allow this app", "ask-admin"
    ),
    "org_blocks_workspace": Row(
        _consent_ends("cannot_install_an_org_installed_app"), "Already installed for your organization", "ask-admin"
    ),
    "operator_denied": Row(_operator_denied, "You can no longer connect workspaces", "ask an operator of this console"),
    "too_many_attempts": Row(_too_many_attempts, "Too many tries with this link", "try-again"),
    "slack_busy": Row(_consent_ends("ratelimited"), "Slack is busy", "try-again"),
    "slack_down": Row(_consent_ends("status_500"), "Slack did not answer", "try-again"),
}


def test_every_outcome_has_a_row() -> None:
    assert list(ROWS) == list(OUTCOMES)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_page_and_a_way_on(
    outcome: Outcome, site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    row = ROWS[outcome]
    page = row.happens(Scene(site, visitor, clock))
    assert (page.outcome, page.status, page.heading) == (outcome, OUTCOMES[outcome].status, row.heading)
    reference = page.main.get("data-reference")
    assert reference is not None
    if row.has_attempt:
        assert reference
        assert reference in " ".join(page.root.itertext())
    words = " ".join("".join(page.main.itertext()).split())
    hooks = {one.get("data-action") for one in page.main.iter("button")}
    assert row.way_on in hooks or row.way_on in words
    primary = [one.get("data-action", "") for one in page.main.iter() if "button-primary" in one.get("class", "")]
    assert (primary or [""])[0] == OUTCOMES[outcome].action
    assert "Traceback" not in page.text
    if not outcome.is_success and outcome != "already_connected":
        assert re.search(r"[Nn]othing|[Nn]o second|[Nn]o connection|still the one in use", words), "what did not happen"
