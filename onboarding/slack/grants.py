"""Read Slack's responses to an exchange and to a refresh. Every value that is returned can be stored.

https://docs.slack.dev/reference/methods/oauth.v2.access
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from onboarding.characters import is_visible, trim
from onboarding.errors import SlackDown

#: As long as the columns that store them.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_MAX_NAME_LENGTH = 255
#: Characters that PostgreSQL cannot store, and control characters.
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: They end a line, or change the direction of the text after the name.
_MISLEADING = re.compile(r"[\u2028-\u202e\u2066-\u2069]")
_MAX_LIFETIME_SECONDS = 366 * 24 * 3600
#: A web address in visible ASCII, as short as the API's own limit for a webhook.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\[][!-~]{0,2000}\Z")


class UnusableGrant(SlackDown):
    """Slack's response has a token, but names no workspace to store it for. The token must be revoked."""

    def __init__(self, token: str, rotates: bool) -> None:
        super().__init__("Slack's response does not say which workspace the token belongs to.")
        self.token, self.rotates = token, rotates
        #: Whether Slack has confirmed that the token was revoked.
        self.is_revoked = False


@dataclass(frozen=True)
class Webhook:
    """An incoming webhook for the channel that the person picked: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

    #: Anyone who knows it can post there.
    url: str = field(repr=False)
    #: The channel's name, such as `#general`. It may be a private channel's, so it is as confidential as the address.
    channel: str | None = field(default=None, repr=False)
    channel_id: str | None = None


@dataclass(frozen=True)
class Grant:
    """The access that Slack granted to one app in one workspace or organization."""

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
    #: False for a user token, which Slack returns alone if an app asks for no bot scopes.
    is_bot: bool = True
    #: Only with the scope `incoming-webhook`.
    webhook: Webhook | None = None

    @property
    def slack_key(self) -> str:
        """Return the installation's key: the organization only if the app was installed for all of it."""
        return f"enterprise:{self.enterprise_id}" if self.is_enterprise_install else f"team:{self.team_id}"

    @property
    def workspace_id(self) -> str:
        return (self.enterprise_id if self.is_enterprise_install else self.team_id) or ""

    @property
    def workspace_name(self) -> str | None:
        return self.enterprise_name if self.is_enterprise_install else self.team_name

    def named(self, team_name: str | None) -> "Grant":
        return replace(self, team_name=self.team_name or clean_name(team_name))

    def as_dict(self) -> dict[str, Any]:
        """Return all values, tokens included, to be encrypted."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Grant":
        # A grant that was kept before there were webhooks has no such member.
        webhook = kept.get("webhook")
        return cls(**{**kept, "scopes": tuple(kept["scopes"]), "webhook": Webhook(**webhook) if webhook else None})


@dataclass(frozen=True)
class Refreshed:
    """A new pair of access and refresh token."""

    access_token: str = field(repr=False)
    #: None if Slack leaves it out: the used one stays valid.
    refresh_token: str | None = field(repr=False)
    #: Seconds.
    expires_in: int | None
    #: The id of the workspace or organization that the pair belongs to, if Slack says so.
    workspace_id: str | None = None
    is_for_organization: bool = False


def read_refreshed(answer: Mapping[str, Any]) -> Refreshed:
    """Read the response to a refresh. Raises SlackDown if it has no token."""
    token = _token(answer.get("access_token"))
    if token is None:
        raise SlackDown("Slack's response has no token.")
    is_for_organization = _is_for_organization(answer)
    owner = "enterprise" if is_for_organization else "team"
    return Refreshed(
        token,
        _token(answer.get("refresh_token")),
        _seconds(answer.get("expires_in")),
        read_id(_mapping(answer.get(owner)).get("id")),
        is_for_organization,
    )


def read(answer: Mapping[str, Any]) -> Grant:
    """Read the response to an exchange. Raises UnusableGrant without a workspace, SlackDown without a token."""
    person = _mapping(answer.get("authed_user"))
    granted = answer if _token(answer.get("access_token")) else person
    team, enterprise = _mapping(answer.get("team")), _mapping(answer.get("enterprise"))
    token = _token(granted.get("access_token"))
    if token is None:
        raise SlackDown("Slack's response has no token.")
    for_organization = _is_for_organization(answer)
    if read_id((enterprise if for_organization else team).get("id")) is None:
        raise UnusableGrant(token, rotates=_token(granted.get("refresh_token")) is not None)
    return Grant(
        app_id=read_id(answer.get("app_id")),
        team_id=read_id(team.get("id")),
        team_name=clean_name(team.get("name")),
        enterprise_id=read_id(enterprise.get("id")),
        enterprise_name=clean_name(enterprise.get("name")),
        is_enterprise_install=for_organization,
        bot_user_id=read_id(answer.get("bot_user_id")),
        scopes=read_scopes(granted.get("scope")),
        installer_id=read_id(person.get("id")),
        access_token=token,
        refresh_token=_token(granted.get("refresh_token")),
        expires_in=_seconds(granted.get("expires_in")),
        is_bot=granted is answer and answer.get("token_type") != "user",
        webhook=_webhook(_mapping(answer.get("incoming_webhook"))),
    )


def _is_for_organization(answer: Mapping[str, Any]) -> bool:
    """Return whether the token is for the organization. An answer that names a workspace is for that workspace."""
    return answer.get("is_enterprise_install") is True and _mapping(answer.get("team")).get("id") is None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def read_id(value: object) -> str | None:
    """Return an id that the database can store, None for anything else."""
    return value if isinstance(value, str) and _ID.match(value) else None


def clean_name(value: object) -> str | None:
    """Return a name that both databases can store, None if nothing is left of it."""
    if not isinstance(value, str):
        return None
    cleaned = trim(trim(_MISLEADING.sub("", _UNSTORABLE.sub("", value)))[:_MAX_NAME_LENGTH])
    return cleaned if is_visible(cleaned) else None


def _webhook(sent: Mapping[str, Any]) -> Webhook | None:
    """Return the webhook, None without an address that can be stored."""
    url = sent.get("url")
    if not isinstance(url, str) or not _ADDRESS.match(url):
        return None
    return Webhook(url, clean_name(sent.get("channel")), read_id(sent.get("channel_id")))


def _token(value: object) -> str | None:
    """Return a token. It goes into an HTTP header, so anything but visible ASCII cannot be one."""
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return None
    return value


def read_scopes(value: object) -> tuple[str, ...]:
    """Return the scopes of a list, or of a text that separates them with commas or spaces. Each is returned once."""
    texts = value if isinstance(value, list) else [value]
    scopes = re.split(r"[\s,]+", ",".join(text for text in texts if isinstance(text, str)))
    return tuple(dict.fromkeys(scope for scope in scopes if scope and not _UNSTORABLE.search(scope)))


def _seconds(value: object) -> int | None:
    """Return a lifetime of up to a year; None for anything but a positive number. JSON may hold it as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = min(float(value), _MAX_LIFETIME_SECONDS)
    except OverflowError:
        return _MAX_LIFETIME_SECONDS
    except ValueError:
        return None
    # The comparison is false for NaN, too.
    return int(seconds) if seconds >= 1 else None
