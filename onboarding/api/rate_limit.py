"""The rate limits of the API: one moving window of a second for each caller, and one for each session token."""

import time
from math import ceil

from flask import Flask, Response, current_app, g
from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from onboarding import clock
from onboarding.api import authentication
from onboarding.api.moving_windows import MovingWindows
from onboarding.errors import Problem

_EXTENSION, _POLLING = "api_rate_limit", "polling_rate_limit"
#: With one session token. A page polls every two seconds, and a person has few pages open.
POLLS_PER_SECOND = 5
#: How long a request may wait for a shared storage.
_TIMEOUT_SECONDS = 1.0
#: How long this process counts alone after the shared storage has failed.
_PAUSE_SECONDS = 5.0


class TooManyRequests(Problem):
    code = "rate_limited"


def register(app: Flask, limit_per_second: int, storage: str) -> None:
    """Limit the requests of each caller per second. Call it after `authentication.register`.

    `storage`: `memory://`, or the URL of a Redis that all web processes share.
    """
    app.extensions[_EXTENSION] = RateLimit(limit_per_second, storage)
    app.extensions[_POLLING] = RateLimit(POLLS_PER_SECOND, storage)
    app.before_request(_count)


class RateLimit:
    """Counts in the storage, and in this process alone while a shared storage fails."""

    def __init__(self, limit_per_second: int, storage: str) -> None:
        timeouts = {"socket_connect_timeout": _TIMEOUT_SECONDS, "socket_timeout": _TIMEOUT_SECONDS}
        backend = MovingWindows() if storage.startswith("memory") else storage_from_string(storage, **timeouts)
        self._failures = backend.base_exceptions
        self._item = RateLimitItemPerSecond(limit_per_second)
        self._shared, self._local = MovingWindowRateLimiter(backend), MovingWindowRateLimiter(MovingWindows())
        self._local_until = 0.0

    def hit(self, caller: str) -> bool:
        """Count a request. Return False if it exceeds the limit."""
        if time.monotonic() >= self._local_until:
            try:
                return self._shared.hit(self._item, caller)
            except self._failures:
                self._local_until = time.monotonic() + _PAUSE_SECONDS
        return self._local.hit(self._item, caller)

    def headers(self, caller: str) -> dict[str, str]:
        """Return what is left of the window. Empty if the shared storage has failed since the request was counted."""
        is_local = time.monotonic() < self._local_until
        try:
            resets_at, remaining = (self._local if is_local else self._shared).get_window_stats(self._item, caller)
        except self._failures:
            self._local_until = time.monotonic() + _PAUSE_SECONDS
            return {}
        return {
            "RateLimit-Limit": str(self._item.amount),
            "RateLimit-Remaining": str(max(remaining, 0)),
            "RateLimit-Reset": str(max(ceil(resets_at - clock.now().timestamp()), 0)),
        }


def add_headers(response: Response) -> None:
    """Add `RateLimit-*` to the response of an authenticated request."""
    if (found := _limit()) is not None:
        limit, caller = found
        response.headers.update(limit.headers(caller))


def _count() -> None:
    """Count the request against its caller's limit. Raises TooManyRequests."""
    if (found := _limit()) is not None:
        limit, caller = found
        if not limit.hit(caller):
            raise TooManyRequests("API rate limit exceeded")


def _limit() -> tuple[RateLimit, str] | None:
    """Return the limit of the request's caller, and the name under which it is counted; None before authentication."""
    session_id = authentication.token_session_id()
    if session_id is not None:
        return current_app.extensions[_POLLING], session_id
    if "caller" in g:
        return current_app.extensions[_EXTENSION], str(authentication.caller().actor)
    return None
