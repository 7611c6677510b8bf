"""Call Slack: one method per call. Returns our types, raises our errors, never retries."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from onboarding import tls
from onboarding.errors import SlackBusy, SlackDown, SlackProblem, SlackRefused
from onboarding.slack import grants
from onboarding.slack.faults import GONE, is_slack_itself
from onboarding.slack.grants import Grant, Refreshed, UnusableGrant
from onboarding.slack.pool import Pool
from onboarding.slack.web_client import PooledClient, ask, body_of, granted_scopes

#: Of the list of an organization's workspaces.
_TEAMS_PER_PAGE, _MAX_PAGES = 1000, 100
#: Slack's error codes for a wrong client secret, of its Web API and of OpenID Connect.
_WRONG_SECRET = frozenset({"bad_client_secret", "invalid_client"})
_LOG = structlog.get_logger(__name__)


T = TypeVar("T")


@dataclass(frozen=True)
class AppCredentials:
    """The credentials of a Slack app, and the addresses of Slack, or of the practice Slack."""

    client_id: str
    client_secret: str = field(repr=False)
    #: The address that the browser opens, without a slash at the end.
    slack_url: str
    #: The address that the server calls, with a slash at the end.
    api_url: str
    #: The client secret before the last change, while Slack may still accept it.
    previous_secret: str | None = field(default=None, repr=False)

    def with_each_secret(self, call: Callable[[str], T]) -> T:
        """Return the result of `call` with the client secret, or with the previous one if Slack refuses the first.

        Slack checks the secret before it uses up a code or a token. Raises SlackRefused.
        """
        try:
            return call(self.client_secret)
        except SlackRefused as refusal:
            if refusal.code not in _WRONG_SECRET or self.previous_secret is None:
                raise
        return call(self.previous_secret)


@dataclass(frozen=True)
class Tested:
    """Slack's answer about a token that works."""

    #: The id of the workspace or organization.
    workspace_id: str
    #: None if Slack does not say.
    scopes: tuple[str, ...] | None
    #: None for an organization, and if Slack does not say.
    workspace_name: str | None
    is_for_organization: bool


class Gateway:
    """Slack's Web API. All calls of the process share one TLS context and one connection pool."""

    def __init__(self) -> None:
        """Open a pool of connections to Slack. Raises SettingsProblem if a proxy variable holds no address."""
        self._tls = tls.context()
        #: Sign in with Slack sends its requests through it as well.
        self.pool = self._pool = Pool(self._tls)

    def authorize_url(
        self, app: AppCredentials, scopes: tuple[str, ...], redirect_uri: str, state: str, team: str | None
    ) -> str:
        """Return the address of Slack's consent page. `team` preselects a workspace: https://docs.slack.dev/authentication/installing-with-oauth"""
        query = {"client_id": app.client_id, "scope": ",".join(scopes), "redirect_uri": redirect_uri, "state": state}
        return f"{app.slack_url}/oauth/v2/authorize?{urlencode({**query, **({'team': team} if team else {})})}"

    def exchange(self, app: AppCredentials, code: str, redirect_uri: str) -> Grant:
        """Exchange Slack's code for a grant. The code is valid once.

        Raises SlackRefused, SlackBusy or SlackDown. A token that comes without a workspace is revoked.
        """
        answer = app.with_each_secret(
            lambda secret: ask(
                lambda: self._client(app).oauth_v2_access(
                    client_id=app.client_id, client_secret=secret, code=code, redirect_uri=redirect_uri
                )
            )
        )
        try:
            grant = grants.read(body_of(answer))
        except UnusableGrant as unusable:
            with suppress(SlackProblem):
                self.revoke(app, unusable.token, unusable.rotates)
                unusable.is_revoked = True
            raise
        if grant.team_name is None and not grant.is_enterprise_install:
            return self._completed(app, grant)
        return grant

    def refresh(self, app: AppCredentials, refresh_token: str) -> Refreshed:
        """Exchange a refresh token, which is valid once, for a new pair. Raises SlackRefused, SlackBusy, SlackDown."""
        answer = app.with_each_secret(
            lambda secret: _ask_about_token(
                lambda: self._client(app).oauth_v2_access(
                    client_id=app.client_id,
                    client_secret=secret,
                    grant_type="refresh_token",
                    refresh_token=refresh_token,
                )
            )
        )
        return grants.read_refreshed(body_of(answer))

    def test(self, app: AppCredentials, token: str) -> Tested:
        """Return the workspace or organization that the token belongs to, and what the token may do.

        Raises SlackRefused if Slack does not accept the token, SlackBusy or SlackDown.
        """
        answer = _ask_about_token(self._client(app, token).auth_test)
        body = body_of(answer)
        organization_id = body.get("is_enterprise_install") and body.get("enterprise_id")
        owner = grants.read_id(organization_id or body.get("team_id"))
        if owner is None:
            raise SlackDown("Slack's response does not say which workspace the token belongs to.")
        name = None if organization_id else grants.clean_name(body.get("team"))
        return Tested(owner, granted_scopes(answer), name, bool(organization_id))

    def team_ids(self, app: AppCredentials, token: str) -> frozenset[str]:
        """Return the workspaces that an organization's app may use: https://docs.slack.dev/reference/methods/auth.teams.list.

        Raises SlackRefused, SlackBusy or SlackDown.
        """
        client, cursor, found = self._client(app, token), "", set[str]()
        for _page in range(_MAX_PAGES):
            body = body_of(_ask_about_token(partial(client.auth_teams_list, cursor=cursor, limit=_TEAMS_PER_PAGE)))
            teams = body.get("teams")
            listed = teams if isinstance(teams, list) else []
            found |= {team["id"] for team in listed if isinstance(team, dict) and isinstance(team.get("id"), str)}
            metadata = body.get("response_metadata")
            cursor = str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
            if not cursor:
                return frozenset(found)
        raise SlackDown("Slack's list of workspaces does not end.")

    def revoke(self, app: AppCredentials, token: str, rotates: bool) -> bool:
        """Remove the app from the workspace. Return False if Slack says that the token had stopped working before.

        `auth.revoke` does not end an installation whose tokens rotate, so those are uninstalled:
        https://docs.slack.dev/reference/methods/apps.uninstall. Raises SlackProblem.
        """
        client = self._client(app, token)
        try:
            if rotates:
                app.with_each_secret(
                    lambda secret: _ask_about_token(
                        lambda: client.apps_uninstall(client_id=app.client_id, client_secret=secret)
                    )
                )
            else:
                _ask_about_token(client.auth_revoke)
        except SlackRefused as refusal:
            if refusal.code in GONE:
                return False
            raise
        return True

    def post_message(self, app: AppCredentials, token: str, channel_id: str, text: str) -> None:
        """Post a message: https://docs.slack.dev/reference/methods/chat.postMessage. Raises SlackProblem."""
        ask(lambda: self._client(app, token).chat_postMessage(channel=channel_id, text=text))

    def wait(self, seconds: float) -> None:
        """Wait without a request slot: for another process's call, or for as long as Slack asked."""
        self._pool.wait(seconds)

    def _completed(self, app: AppCredentials, grant: Grant) -> Grant:
        """Add the workspace's name, which a response with only a user token may lack. The grant is valid without it."""
        try:
            body = body_of(ask(self._client(app, grant.access_token).auth_test))
        except (SlackRefused, SlackBusy, SlackDown):
            _LOG.info("slack.workspace_not_named")
            return grant
        name = body.get("team")
        return grant.named(name if isinstance(name, str) else None)

    def _client(self, app: AppCredentials, token: str | None = None) -> WebClient:
        if token is not None and not token.isascii():
            # It cannot be sent in a header, so it is not a token of Slack's.
            raise SlackRefused("invalid_auth")
        return PooledClient(self._pool, token=token, base_url=app.api_url, ssl=self._tls)


def _ask_about_token(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Call Slack. Raises SlackDown for a fault of Slack's own as well: it says nothing about the token."""
    try:
        return ask(call)
    except SlackRefused as refusal:
        if is_slack_itself(refusal.code):
            raise SlackDown("Slack reported an error of its own.") from None
        raise
