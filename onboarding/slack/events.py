"""Read the requests of Slack's Events API: https://docs.slack.dev/apis/events-api"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from onboarding.slack.grants import clean_name

#: As long as the columns that store them.
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_MAX_CHALLENGE_LENGTH = 1000
_MAX_LISTED = 10_000
#: The beginning of the year 3000.
_LATEST_SECONDS = 32_503_680_000


class Malformed(ValueError):
    """The body is not a request of the Events API."""


@dataclass(frozen=True)
class Challenge:
    """Slack's check of the request URL, which names no app: https://docs.slack.dev/reference/events/url_verification."""

    text: str


@dataclass(frozen=True)
class Notice:
    """A request that needs no action, such as `app_rate_limited`."""

    app_id: str


@dataclass(frozen=True)
class Event:
    """An event of one app in one workspace or organization."""

    app_id: str
    event_id: str
    type: str
    #: The workspace, or the organization if the app is installed for all of it. None if Slack names neither.
    owner_id: str | None
    is_for_organization: bool
    #: The workspace in which it happened, also if the app is installed for the whole organization.
    team_id: str | None
    #: When it happened, by Slack's clock, to the second.
    at: datetime
    #: The members of `event`. They may contain a customer's data.
    members: Mapping[str, Any] = field(repr=False)

    @property
    def slack_key(self) -> str:
        """Return the key of the installation that the event is about, as `Grant.slack_key` does."""
        return f"enterprise:{self.owner_id}" if self.is_for_organization else f"team:{self.owner_id}"

    def revoked(self, kind: str) -> frozenset[str]:
        """Return the user ids whose tokens of this kind, `bot` or `oauth`, were revoked."""
        tokens = self.members.get("tokens")
        return _ids(tokens.get(kind)) if isinstance(tokens, Mapping) else frozenset()

    @property
    def team_ids(self) -> frozenset[str]:
        return _ids(self.members.get("team_ids"))

    @property
    def name(self) -> str | None:
        """Return the workspace's new name, if it can be stored."""
        return clean_name(self.members.get("name"))

    @property
    def domain(self) -> str | None:
        return clean_name(self.members.get("domain"))

    @property
    def workspace_ids(self) -> frozenset[str]:
        """Return the ids that connections of the workspace or organization can have."""
        return frozenset(filter(None, (self.owner_id, self.team_id)))

    @property
    def channel_id(self) -> str | None:
        """Return the id of the event's channel: the previous one if the event says that the id has changed."""
        return _id_or_none(self._channel.get("id"))

    @property
    def new_channel_id(self) -> str | None:
        return _id_or_none(self.members.get("new_channel_id"))

    @property
    def channel_name(self) -> str | None:
        return clean_name(self._channel.get("name"))

    @property
    def _channel(self) -> Mapping[str, Any]:
        """Return the channel as an object. Most events have only its id."""
        sent = self.members.get("channel", self.members.get("old_channel_id"))
        return sent if isinstance(sent, Mapping) else {"id": sent}


def read(body: bytes) -> Challenge | Notice | Event:
    """Read a request's body. Raises Malformed."""
    try:
        sent = orjson.loads(body)
    except ValueError:
        raise Malformed("not JSON") from None
    if not isinstance(sent, dict):
        raise Malformed("not an object")
    kind = sent.get("type")
    if kind == "url_verification":
        challenge = sent.get("challenge")
        if not isinstance(challenge, str) or not 1 <= len(challenge) <= _MAX_CHALLENGE_LENGTH:
            raise Malformed("challenge")
        return Challenge(challenge)
    if not isinstance(kind, str):
        raise Malformed("type")
    app_id = _id(sent.get("api_app_id"), "api_app_id")
    return _event(sent, app_id) if kind == "event_callback" else Notice(app_id)


def _event(sent: Mapping[str, Any], app_id: str) -> Event:
    members = sent.get("event")
    if not isinstance(members, Mapping):
        raise Malformed("event")
    owner_id, is_for_organization = _owner(sent)
    return Event(
        app_id=app_id,
        event_id=_id(sent.get("event_id"), "event_id"),
        type=_id(members.get("type"), "event.type"),
        owner_id=owner_id,
        is_for_organization=is_for_organization,
        team_id=_id_or_none(sent.get("team_id")),
        at=_time(sent.get("event_time")),
        members=members,
    )


def _owner(sent: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the id of the workspace or organization, and whether it is an organization."""
    team, enterprise = sent.get("team_id"), sent.get("enterprise_id")
    authorizations = sent.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    names_organization = isinstance(first, Mapping) and first.get("is_enterprise_install") is True
    if isinstance(enterprise, str) and (names_organization or not team or team == enterprise):
        return _id(enterprise, "enterprise_id"), True
    return (_id(team, "team_id"), False) if team is not None else (None, False)


def _id(value: object, name: str) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise Malformed(name)
    return value


def _id_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.match(value) else None


def _ids(value: object) -> frozenset[str]:
    listed = value[:_MAX_LISTED] if isinstance(value, list) else []
    return frozenset(one for one in listed if isinstance(one, str) and _ID.match(one))


def _time(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LATEST_SECONDS:
        raise Malformed("event_time")
    return datetime.fromtimestamp(value, UTC)
