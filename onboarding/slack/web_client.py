"""slack_sdk's client over our connection pool, with its errors translated."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from onboarding.errors import SlackBusy, SlackDown, SlackRefused
from onboarding.slack import faults, grants
from onboarding.slack.pool import Pool

_MAX_WAIT_SECONDS = 3600
_DEFAULT_WAIT_SECONDS = 30
_WAIT = re.compile(r"[0-9]{1,6}\Z")
#: The digits after the 300th: Python reads no number of more than 4,300 digits. No token has as many in a row.
_TOO_MANY_DIGITS = re.compile(r"(?<=[0-9]{300})[0-9]+")
# At debug level slack_sdk logs codes and tokens. Our callers log the result of a call themselves.
_QUIET = logging.getLogger("onboarding.slack.calls")
_QUIET.setLevel(logging.CRITICAL)


class PooledClient(WebClient):
    """slack_sdk's requests and checks, sent through the pool. slack_sdk itself would connect for each call."""

    def __init__(self, pool: Pool, **given: Any) -> None:
        super().__init__(**given, retry_handlers=[], logger=_QUIET)
        self._pool = pool

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        body = req.data if isinstance(req.data, bytes) else b""
        reply = self._pool.post(url, body, dict(req.header_items()))
        # The token beside such a number must be read, to be stored or revoked.
        text = _TOO_MANY_DIGITS.sub("", reply.body)
        # slack_sdk logs the beginning of a body that is not JSON, and a cut body may begin with a token.
        return {"status": reply.status, "headers": reply.headers, "body": text if _is_object(text) else "{}"}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        # Brackets that are nested too deeply raise RecursionError.
        return False


def ask(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Call Slack. Raises SlackRefused, SlackBusy or SlackDown."""
    try:
        return call()
    except SlackApiError as refusal:
        raise _translated(refusal) from None


def _translated(refusal: SlackApiError) -> SlackRefused | SlackBusy | SlackDown:
    answer = refusal.response
    code = faults.read_code(answer.get("error"))
    if answer.status_code == 429 or code in ("ratelimited", "rate_limited"):
        wait = str(answer.headers.get("Retry-After", answer.headers.get("retry-after", "")))
        return SlackBusy(min(int(wait), _MAX_WAIT_SECONDS) if _WAIT.match(wait) else _DEFAULT_WAIT_SECONDS)
    if answer.status_code >= 500 or not code:
        return SlackDown(f"Slack answered with status {answer.status_code}.")
    return SlackRefused(code)


def granted_scopes(answer: SlackResponse) -> tuple[str, ...] | None:
    """Read the header with the scopes that the token has: https://docs.slack.dev/authentication/tokens"""
    sent = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    listed = sent.get("x-oauth-scopes")
    return None if listed is None else grants.read_scopes(listed)


def body_of(answer: SlackResponse) -> dict[str, object]:
    return answer.data if isinstance(answer.data, dict) else {}
