"""Slack's five answer shapes to one `Grant`. Pure. Source: slack.md 1.6."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from onboarding.errors import SlackDown


@dataclass(frozen=True)
class Grant:
    """What Slack granted to one app in one workspace or organisation."""

    app_id: str | None
    team_id: str | None
    team_name: str | None
    enterprise_id: str | None
    enterprise_name: str | None
    is_enterprise_install: bool
    bot_user_id: str | None
    scopes: tuple[str, ...]
    installer_id: str | None
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    #: Seconds; None for a token that does not rotate.
    expires_in: int | None
    #: Whether the token is a bot's. A person's own comes alone where an app asks for no bot scopes.
    is_bot: bool = True

    @property
    def slack_key(self) -> str:
        """The installation's key: never the enterprise of a plain workspace that happens to belong to one."""
        return f"enterprise:{self.enterprise_id}" if self.is_enterprise_install else f"team:{self.team_id}"

    @property
    def workspace_id(self) -> str:
        return (self.enterprise_id if self.is_enterprise_install else self.team_id) or ""

    @property
    def workspace_name(self) -> str | None:
        return self.enterprise_name if self.is_enterprise_install else self.team_name

    def named(self, team_name: str | None) -> "Grant":
        return replace(self, team_name=self.team_name or team_name)

    def as_dict(self) -> dict[str, Any]:
        """For sealing only: it holds the tokens."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Grant":
        return cls(**{**kept, "scopes": tuple(kept["scopes"])})


@dataclass(frozen=True)
class Refreshed:
    """A new pair for one token that rotates."""

    access_token: str = field(repr=False)
    #: None where Slack leaves it out: the one that was spent stays in use.
    refresh_token: str | None = field(repr=False)
    #: Seconds.
    expires_in: int | None
    #: The workspace or organisation that it belongs to, where Slack says so.
    place: str | None = None


def read_refreshed(answer: Mapping[str, Any]) -> Refreshed:
    """Raises SlackDown when the answer has no token."""
    token, seconds = _text(answer.get("access_token")), answer.get("expires_in")
    if token is None:
        raise SlackDown("Slack's answer had no token.")
    life = seconds if isinstance(seconds, int) else None
    of = "enterprise" if answer.get("is_enterprise_install") is True else "team"
    return Refreshed(token, _text(answer.get("refresh_token")), life, _text(_mapping(answer.get(of)).get("id")))


def read(answer: Mapping[str, Any]) -> Grant:
    """Raises SlackDown when the answer is no grant at all."""
    person = _mapping(answer.get("authed_user"))
    bearer = answer if answer.get("access_token") else person
    team, enterprise = _mapping(answer.get("team")), _mapping(answer.get("enterprise"))
    token = _text(bearer.get("access_token"))
    for_organisation = answer.get("is_enterprise_install") is True and not team
    if token is None or not (_text(enterprise.get("id")) if for_organisation else _text(team.get("id"))):
        raise SlackDown("Slack's answer had no token or no workspace.")
    seconds = bearer.get("expires_in")
    return Grant(
        app_id=_text(answer.get("app_id")),
        team_id=_text(team.get("id")),
        team_name=_text(team.get("name")),
        enterprise_id=_text(enterprise.get("id")),
        enterprise_name=_text(enterprise.get("name")),
        is_enterprise_install=for_organisation,
        bot_user_id=_text(answer.get("bot_user_id")),
        scopes=tuple(filter(None, (_text(bearer.get("scope")) or "").split(","))),
        installer_id=_text(person.get("id")),
        access_token=token,
        refresh_token=_text(bearer.get("refresh_token")),
        expires_in=seconds if isinstance(seconds, int) else None,
        is_bot=bearer is answer and answer.get("token_type") != "user",
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
