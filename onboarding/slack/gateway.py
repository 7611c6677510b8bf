"""One method for each Slack call we make. Returns our types, raises our errors, retries nothing."""

import json
import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from onboarding.errors import SlackBusy, SlackDown, SlackRefused
from onboarding.slack import grants
from onboarding.slack.faults import GONE
from onboarding.slack.grants import Grant, Refreshed
from onboarding.slack.pool import Pool

_LONGEST_WAIT_SECONDS = 3600
_ERROR_WORD = re.compile(r"[a-z0-9_.]{1,60}\Z")
_LOG = structlog.get_logger(__name__)
# slack_sdk prints codes and tokens at debug level, and lines of its own form where our callers log what came of it.
_QUIET = logging.getLogger("onboarding.slack.calls")
_QUIET.setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Credentials:
    """One Slack app's, and where its Slack is."""

    client_id: str
    client_secret: str = field(repr=False)
    #: What the browser opens, without a slash at the end.
    slack_url: str
    #: What the server calls, with one.
    api_url: str


@cache
def _tls(_certificates: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    """One for the process: to read the machine's certificates takes longer than to start all else here."""
    return ssl.create_default_context()


class Gateway:
    """Slack, as this product sees it. One TLS context and one pool of connections serve every call of the process."""

    def __init__(self) -> None:
        """Raises SettingsProblem for a proxy that cannot be one."""
        self._tls = _tls(ssl.get_default_verify_paths())
        self._pool = Pool(self._tls)

    def authorize_url(
        self, app: Credentials, scopes: tuple[str, ...], redirect_uri: str, state: str, team: str | None
    ) -> str:
        query = {"client_id": app.client_id, "scope": ",".join(scopes), "redirect_uri": redirect_uri, "state": state}
        return f"{app.slack_url}/oauth/v2/authorize?{urlencode({**query, **({'team': team} if team else {})})}"

    def exchange(self, app: Credentials, code: str, redirect_uri: str) -> Grant:
        """Spends the code, once. Raises SlackRefused, SlackBusy or SlackDown."""
        answer = _ask(
            lambda: self._client(app).oauth_v2_access(
                client_id=app.client_id, client_secret=app.client_secret, code=code, redirect_uri=redirect_uri
            )
        )
        grant = grants.read(_body(answer))
        if grant.team_name is None and not grant.is_enterprise_install:
            return self._completed(app, grant)
        return grant

    def refresh(self, app: Credentials, refresh_token: str) -> Refreshed:
        """Spends a refresh token, once. Raises SlackRefused, SlackBusy or SlackDown."""
        answer = _ask(
            lambda: self._client(app).oauth_v2_access(
                client_id=app.client_id,
                client_secret=app.client_secret,
                grant_type="refresh_token",
                refresh_token=refresh_token,
            )
        )
        return grants.read_refreshed(_body(answer))

    def test(self, app: Credentials, token: str) -> str:
        """The id of the workspace or organisation that the token belongs to.

        Raises SlackRefused where Slack does not accept the token, SlackBusy or SlackDown.
        """
        told = _body(_ask(self._client(app, token).auth_test))
        place = (told.get("is_enterprise_install") and told.get("enterprise_id")) or told.get("team_id")
        if not isinstance(place, str):
            raise SlackDown("Slack did not say whose the token is.")
        return place

    def revoke(self, app: Credentials, token: str, rotates: bool) -> bool:
        """Takes the app out of the workspace. False: Slack says that the access was gone already.

        `auth.revoke` ends an installation only where tokens do not rotate (slack.md 1.10). Raises SlackProblem.
        """
        client = self._client(app, token)
        try:
            if rotates:
                _ask(lambda: client.apps_uninstall(client_id=app.client_id, client_secret=app.client_secret))
            else:
                _ask(client.auth_revoke)
        except SlackRefused as refusal:
            if refusal.code in GONE:
                return False
            raise
        return True

    def wait(self, seconds: float) -> None:
        """Wait for the call of another process."""
        self._pool.wait(seconds)

    def _completed(self, app: Credentials, grant: Grant) -> Grant:
        """A user-only answer may lack the workspace's name. The grant is good without it, so no fault here ends the install."""
        try:
            told = _body(_ask(self._client(app, grant.access_token).auth_test))
        except (SlackRefused, SlackBusy, SlackDown):
            _LOG.info("slack.workspace_not_named")
            return grant
        name = told.get("team")
        return grant.named(name if isinstance(name, str) else None)

    def _client(self, app: Credentials, token: str | None = None) -> WebClient:
        return _PooledClient(self._pool, token=token, base_url=app.api_url, ssl=self._tls)


class _PooledClient(WebClient):
    """slack_sdk writes the question and judges the answer; the pool carries both. By itself it connects for each call."""

    def __init__(self, pool: Pool, **given: Any) -> None:
        super().__init__(**given, retry_handlers=[], logger=_QUIET)
        self._pool = pool

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        body = req.data if isinstance(req.data, bytes) else b""
        reply = self._pool.post(url, body, dict(req.header_items()))
        # slack_sdk logs the beginning of what is no JSON, and a cut answer may begin with a token.
        return {
            "status": reply.status,
            "headers": reply.headers,
            "body": reply.body if _is_object(reply.body) else "{}",
        }


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        # Also a number of thousands of digits, or brackets without end.
        return False


def _ask(call: Callable[[], SlackResponse]) -> SlackResponse:
    try:
        return call()
    except SlackApiError as refusal:
        raise _translated(refusal) from None


def _translated(refusal: SlackApiError) -> SlackRefused | SlackBusy | SlackDown:
    answer = refusal.response
    word = str(answer.get("error", "")) if hasattr(answer, "get") else ""
    if answer.status_code == 429 or word in ("ratelimited", "rate_limited"):
        told = str(answer.headers.get("Retry-After", answer.headers.get("retry-after", "30")))
        return SlackBusy(min(int(told), _LONGEST_WAIT_SECONDS) if told.isdecimal() else 30)
    if answer.status_code >= 500 or not _ERROR_WORD.match(word):
        return SlackDown(f"Slack answered {answer.status_code}.")
    return SlackRefused(word)


def _body(answer: SlackResponse) -> dict[str, object]:
    return answer.data if isinstance(answer.data, dict) else {}
