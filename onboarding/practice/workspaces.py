"""The workspaces of the practice Slack, with their people and channels, as they are before anybody changes them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from onboarding.practice.registration import slack_id


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    #: The error code that every message to it is answered with, if any.
    refuses_with: str | None = None

    @property
    def remark(self) -> str:
        """Return why a message may be refused."""
        reasons = {"restricted_action": "only admins post", "ratelimited": "the app posts too often"}
        kinds = ("private" if self.is_private else "", "archived" if self.is_archived else "")
        return ", ".join(filter(None, (*kinds, reasons.get(self.refuses_with or ""))))


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Workspace:
    """A workspace, or an Enterprise organization if `is_org` is true (its id then starts with E)."""

    id: str
    name: str
    domain: str
    person: Person
    channels: tuple[Channel, ...] = ()
    needs_approval: bool = False
    is_org: bool = False
    enterprise_id: str | None = None
    enterprise_name: str | None = None
    remark: str = ""
    #: Whether it is here because a connection of the app names it, as with `demo-data`.
    is_guest: bool = False

    @property
    def url(self) -> str:
        return f"https://{self.domain}.enterprise.slack.com/" if self.is_org else f"https://{self.domain}.slack.com/"


def changes_of(workspace: Workspace) -> dict[str, Any]:
    """Return what people can change in a workspace, as JSON."""
    return {"name": workspace.name, "channels": [asdict(one) for one in workspace.channels]}


def with_changes(workspace: Workspace, saved: Mapping[str, Any]) -> Workspace:
    return replace(workspace, name=saved["name"], channels=tuple(Channel(**one) for one in saved["channels"]))


def make_workspace(workspace_id: str, name: str, domain: str, channels: Iterable[str]) -> Workspace:
    """Build a workspace. The first character of a channel may mark it.

    `-`: private; `~`: archived; `!`: only admins post; `^`: the app posts too often.
    """
    return Workspace(
        id=workspace_id,
        name=name,
        domain=domain,
        person=Person(slack_id("U", workspace_id, "person"), "Bea Lindqvist", f"bea@{domain}.example"),
        channels=tuple(_channel(workspace_id, text) for text in channels),
    )


def make_guest(workspace_id: str, name: str) -> Workspace:
    """Build the workspace of a made-up connection, so that a person can connect it again."""
    domain = workspace_id.lower()
    guest = make_workspace(workspace_id, name, domain, _USUAL)
    return replace(guest, is_guest=True, remark="The workspace of the connection")


def _channel(workspace_id: str, text: str) -> Channel:
    name, marks = text.lstrip("-~!^"), text[:2]
    refusal = "restricted_action" if "!" in marks else "ratelimited" if "^" in marks else None
    return Channel(slack_id("C", workspace_id, name), name, "-" in marks, "~" in marks, refusal)


_USUAL = ("general", "random", "!announcements", "customer-success", "engineering", "^incidents", "sales", "support")
_PROJECTS = tuple(f"{'~' if number % 5 == 0 else ''}project-{number:03}" for number in range(1, 241))
_GROUP = "E0MERIDIAN"

WORKSPACES: tuple[Workspace, ...] = (
    make_workspace("T0ACMEHQ01", "Acme HQ", "acme-hq", (*_USUAL, "~launch-2024", "-leadership", "-hiring")),
    replace(
        make_workspace("T0ACMETEST", "Acme Test", "acme-test", (*_USUAL, *_PROJECTS, "-secret-plans")),
        remark="Has 249 channels",
    ),
    replace(
        make_workspace("T0HARBORLG", "Harbor Legal", "harbor-legal", (*_USUAL, "-cases")),
        needs_approval=True,
        remark="Needs an admin’s approval",
    ),
    replace(
        make_workspace("T0MERIDESN", "Meridian Design", "meridian-design", (*_USUAL, "brand", "-pricing")),
        enterprise_id=_GROUP,
        enterprise_name="Meridian Group",
        remark="Part of Meridian Group",
    ),
    Workspace(
        id=_GROUP,
        name="Meridian Group",
        domain="meridian",
        person=Person(slack_id("W", _GROUP, "person"), "Bea Lindqvist", "bea@meridian.example"),
        is_org=True,
        enterprise_id=_GROUP,
        enterprise_name="Meridian Group",
        remark="The whole organization",
    ),
)
