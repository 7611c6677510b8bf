"""Slack's rules for issuing and revoking tokens. The caller must hold the ledger's lock."""

from dataclasses import dataclass

from onboarding.practice.errors import Refused
from onboarding.practice.ledger import (
    Code,
    Installation,
    Kind,
    Ledger,
    RefreshToken,
    Token,
    new_refresh_token,
    new_token,
)
from onboarding.practice.registration import PracticeApp, slack_id
from onboarding.practice.scenarios import BY_NAME
from onboarding.practice.workspaces import Workspace

LIVE_ROTATING_TOKENS = 2
#: Slack accepts a used refresh token for a short time that it does not document. A minute covers a lost answer.
REFRESH_GRACE_SECONDS = 60


@dataclass(frozen=True)
class Issued:
    """A token that was just issued, with its refresh token if tokens rotate."""

    token: Token
    refresh_token: str | None


def install(
    ledger: Ledger, app: PracticeApp, workspace: Workspace, code: Code, now: float
) -> tuple[Installation, Issued | None, Issued | None]:
    """Install the app. Return the installation, and the bot's and the user's token if their scopes were requested.

    Raises Refused (`cannot_install_an_org_installed_app`).
    """
    org = workspace.enterprise_id
    if org and not workspace.is_org and ledger.installation(app.client_id, org):
        raise Refused("cannot_install_an_org_installed_app")
    installation = ledger.installation(app.client_id, workspace.id) or Installation(
        client_id=app.client_id,
        workspace_id=workspace.id,
        bot_user_id=slack_id("U", app.client_id, workspace.id, "bot"),
        bot_id=slack_id("B", app.client_id, workspace.id),
        installed_at=now,
    )
    # Slack cannot turn token rotation off: https://docs.slack.dev/authentication/using-token-rotation
    installation.rotates = installation.rotates or BY_NAME[code.scenario].rotates
    bot = user = None
    if code.bot_scopes:
        installation.bot_scopes = _union(installation.bot_scopes, code.bot_scopes)
        bot = _issue(ledger, installation, "bot", now)
    if code.user_scopes:
        person = workspace.person.id
        installation.user_scopes[person] = _union(installation.user_scopes.get(person, []), code.user_scopes)
        user = _issue(ledger, installation, "user", now, person)
    ledger.keep_installation(installation)
    return installation, bot, user


def refresh(ledger: Ledger, app: PracticeApp, value: str, now: float) -> Issued:
    """Exchange the refresh token `value` for a new pair. Raises Refused (`invalid_refresh_token`)."""
    old = ledger.refresh_tokens.get(value)
    if old is None or old.client_id != app.client_id:
        raise Refused("invalid_refresh_token")
    if old.used_at is not None and now > old.used_at + REFRESH_GRACE_SECONDS:
        del ledger.refresh_tokens[value]
        raise Refused("invalid_refresh_token")
    installation = ledger.installation(old.client_id, old.workspace_id)
    if installation is None:
        raise Refused("invalid_refresh_token")
    # The grace begins with the first use. A repeated request in it gets a pair as well.
    old.used_at = now if old.used_at is None else old.used_at
    return _issue(ledger, installation, old.kind, now, old.user_id)


def revoke(ledger: Ledger, token: Token, now: float) -> list[str]:
    """Revoke a token by Slack's rules. Return the names of the events that Slack then sends."""
    installation = ledger.installation(token.client_id, token.workspace_id)
    # With rotation only this token ends, and the app stays in the workspace.
    if installation is None or installation.rotates:
        token.ended = "token_revoked"
        return []
    for live in ledger.live_tokens(token.client_id, token.workspace_id, now):
        if (live.kind, live.user_id) == (token.kind, token.user_id):
            live.ended = "token_revoked"
    if token.kind == "bot":
        installation.bot_scopes, installation.channels, installation.webhooks = [], [], []
    else:
        installation.user_scopes.pop(token.user_id, None)
    if ledger.live_tokens(token.client_id, token.workspace_id, now):
        return ["tokens_revoked"]
    ledger.forget_installation(token.client_id, token.workspace_id)
    return ["tokens_revoked", "app_uninstalled"]


def uninstall(ledger: Ledger, installation: Installation) -> None:
    """Remove the installation and revoke all its tokens, older ones included."""
    for token in ledger.tokens.values():
        if (token.client_id, token.workspace_id) == (
            installation.client_id,
            installation.workspace_id,
        ) and token.ended is None:
            token.ended = "account_inactive" if token.kind == "bot" else "token_revoked"
    ledger.forget_installation(installation.client_id, installation.workspace_id)


def find_token(ledger: Ledger, value: str, now: float) -> Token:
    """Return the token. Raises Refused with the code for an unknown, revoked or expired token."""
    token = ledger.tokens.get(value)
    if token is None:
        raise Refused("invalid_auth")
    if token.ended:
        raise Refused(token.ended)
    if token.expires_at is not None and token.expires_at <= now:
        raise Refused("token_expired")
    return token


def _issue(ledger: Ledger, installation: Installation, kind: Kind, now: float, person: str | None = None) -> Issued:
    user_id = installation.bot_user_id if kind == "bot" else person or ""
    scopes = installation.bot_scopes if kind == "bot" else installation.user_scopes[user_id]
    before = [
        token
        for token in ledger.live_tokens(installation.client_id, installation.workspace_id, now)
        if (token.kind, token.user_id) == (kind, user_id)
    ]
    # A new consent extends the tokens that the app already has.
    for token in before:
        token.scopes = list(scopes)
    lasting = [token for token in before if token.expires_at is None]
    # Slack returns the same token again for each install in the same workspace.
    if not installation.rotates and lasting:
        return Issued(lasting[-1], None)
    token = Token(
        value=new_token(kind, installation.rotates),
        client_id=installation.client_id,
        workspace_id=installation.workspace_id,
        kind=kind,
        user_id=user_id,
        scopes=list(scopes),
        issued_at=now,
        expires_at=now + ledger.token_seconds if installation.rotates else None,
    )
    ledger.tokens[token.value] = token
    if not installation.rotates:
        return Issued(token, None)
    rotating = [old for old in before if old.expires_at is not None]
    # Slack keeps the two newest tokens valid: https://docs.slack.dev/authentication/using-token-rotation
    for old in rotating[: len(rotating) + 1 - LIVE_ROTATING_TOKENS]:
        old.ended = "token_revoked"
    partner = RefreshToken(new_refresh_token(), installation.client_id, installation.workspace_id, kind, user_id)
    ledger.refresh_tokens[partner.value] = partner
    return Issued(token, partner.value)


def _union(old: list[str], new: list[str]) -> list[str]:
    return [*old, *(scope for scope in new if scope not in old)]
