"""Slack's records of an app: installations, tokens, refresh tokens and codes, with their look-ups.

This module neither locks nor saves. `slack_state` does both.
"""

import secrets
import string
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["bot", "user"]

#: Slack's error codes for a token that was valid before.
TokenEnd = Literal["token_revoked", "token_expired", "account_inactive"]

#: Slack's tokens last for twelve hours: https://docs.slack.dev/authentication/using-token-rotation
ROTATING_TOKEN_SECONDS = 43_200
KEPT_DEAD_TOKENS = 500
KEPT_CODES = 1_000
KEPT_REFRESH_TOKENS = 1_000

_ALPHABET = string.ascii_letters + string.digits


@dataclass
class Installation:
    """The app in a workspace or an organization. Bot scopes only grow until an uninstall."""

    client_id: str
    workspace_id: str
    bot_user_id: str
    bot_id: str
    installed_at: float
    rotates: bool = False
    bot_scopes: list[str] = field(default_factory=list)
    user_scopes: dict[str, list[str]] = field(default_factory=dict)
    #: Channels that the bot has joined or was invited to.
    channels: list[str] = field(default_factory=list)
    #: The organization's workspaces to which an admin added the app.
    teams: list[str] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)


@dataclass
class Token:
    value: str = field(repr=False)
    client_id: str
    workspace_id: str
    kind: Kind
    user_id: str
    scopes: list[str]
    issued_at: float
    #: None if the token does not expire.
    expires_at: float | None = None
    #: Slack's error code after revocation; None while the token is valid.
    ended: TokenEnd | None = None


@dataclass
class RefreshToken:
    value: str = field(repr=False)
    client_id: str
    workspace_id: str
    kind: Kind
    user_id: str
    #: None until first use. A used refresh token stays valid for REFRESH_GRACE_SECONDS.
    used_at: float | None = None


@dataclass
class Code:
    """An authorization code, usable once. `trouble_left` counts the exchanges that the scenario still lets fail."""

    value: str = field(repr=False)
    client_id: str
    workspace_id: str
    redirect_uri: str | None
    bot_scopes: list[str]
    user_scopes: list[str]
    scenario: str
    expires_at: float
    trouble_left: int
    #: The name of the channel that the person picked for an incoming webhook.
    channel: str = ""


@dataclass
class Ledger:
    installations: dict[str, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    #: `client_id workspace_id` of apps that an admin has approved.
    approved: list[str] = field(default_factory=list)
    #: Names, by id, of workspaces that are here because a connection of the app names them.
    guests: dict[str, str] = field(default_factory=dict)
    #: By workspace id: the name and channels of a workspace that somebody has changed.
    workspaces: dict[str, Any] = field(default_factory=dict)
    #: The lifetime of new rotating tokens. It is a setting, so it is not saved.
    token_seconds: float = ROTATING_TOKEN_SECONDS

    def installation(self, client_id: str, workspace_id: str) -> Installation | None:
        return self.installations.get(f"{client_id} {workspace_id}")

    def keep_installation(self, installation: Installation) -> None:
        self.installations[f"{installation.client_id} {installation.workspace_id}"] = installation

    def live_tokens(self, client_id: str, workspace_id: str, now: float) -> list[Token]:
        """Return the tokens that are valid, oldest first."""
        return [
            token
            for token in self.tokens.values()
            if (token.client_id, token.workspace_id) == (client_id, workspace_id)
            and token.ended is None
            and (token.expires_at is None or now < token.expires_at)
        ]

    def forget_installation(self, client_id: str, workspace_id: str) -> None:
        self.installations.pop(f"{client_id} {workspace_id}", None)
        for value, row in list(self.refresh_tokens.items()):
            if (row.client_id, row.workspace_id) == (client_id, workspace_id):
                del self.refresh_tokens[value]

    def tidy(self, now: float) -> None:
        """Limit the memory: delete expired codes, and ended tokens except the newest, which keep their error code."""
        for code in [value for value, code in self.codes.items() if code.expires_at < now]:
            del self.codes[code]
        _keep_newest(self.codes, KEPT_CODES)
        _keep_newest(self.refresh_tokens, KEPT_REFRESH_TOKENS)
        dead = [value for value, token in self.tokens.items() if token.ended or _long_expired(token, now)]
        for value in dead[:-KEPT_DEAD_TOKENS]:
            del self.tokens[value]

    def dump(self) -> dict[str, Any]:
        return {
            "installations": [asdict(row) for row in self.installations.values()],
            "tokens": [asdict(row) for row in self.tokens.values()],
            "refresh_tokens": [asdict(row) for row in self.refresh_tokens.values()],
            "codes": [asdict(row) for row in self.codes.values()],
            "approved": list(self.approved),
            "guests": dict(self.guests),
            "workspaces": dict(self.workspaces),
        }

    @classmethod
    def load(cls, saved: dict[str, Any]) -> "Ledger":
        # Files of earlier versions have neither guests nor changed workspaces.
        guests, workspaces = (dict(saved.get(name, {})) for name in ("guests", "workspaces"))
        ledger = cls(approved=list(saved["approved"]), guests=guests, workspaces=workspaces)
        for row in saved["installations"]:
            ledger.keep_installation(Installation(**_renamed(row)))
        ledger.tokens = {row["value"]: Token(**_renamed(row)) for row in saved["tokens"]}
        ledger.refresh_tokens = {row["value"]: RefreshToken(**_renamed(row)) for row in saved["refresh_tokens"]}
        ledger.codes = {row["value"]: Code(**_renamed(row)) for row in saved["codes"]}
        return ledger


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a saved row. Files of earlier versions call the workspace's id `place`."""
    return {"workspace_id" if name == "place" else name: value for name, value in row.items()}


def new_code() -> str:
    return f"{_digits(12)}.{_digits(13)}.{secrets.token_hex(32)}"


def new_token(kind: Kind, rotates: bool) -> str:
    """Create `xoxb-…` or `xoxp-…`. Rotating tokens have the prefix `xoxe.` and over 200 characters, as Slack's do."""
    if rotates:
        return f"xoxe.xox{'b' if kind == 'bot' else 'p'}-1-{_characters(210)}"
    if kind == "bot":
        return f"xoxb-{_digits(12)}-{_digits(13)}-{_characters(24)}"
    return f"xoxp-{_digits(12)}-{_digits(12)}-{_digits(13)}-{secrets.token_hex(16)}"


def new_refresh_token() -> str:
    return f"xoxe-1-{_characters(146)}"


def _digits(count: int) -> str:
    return str(secrets.randbelow(9) + 1) + "".join(secrets.choice(string.digits) for _ in range(count - 1))


def _characters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _long_expired(token: Token, now: float) -> bool:
    return token.expires_at is not None and token.expires_at < now


def _keep_newest(rows: dict[str, Any], count: int) -> None:
    for value in list(rows)[:-count]:
        del rows[value]
