"""How often a key may ask: one moving window for all of its requests, counted by Flask-Limiter (contract.md A1)."""

from math import ceil

from flask import Flask, Response, current_app, g
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItemPerSecond

from onboarding import clock
from onboarding.api import authentication
from onboarding.errors import Problem

_LIMITER = "api_limiter"
#: Flask-Limiter's word for what all of an application's endpoints share.
_SCOPE = "global"


class TooManyRequests(Problem):
    code = "rate_limited"


def register(app: Flask, limit_per_second: int, storage: str) -> None:
    """`storage`: `memory://`, or a Redis that all replicas share. Who asks has to be known before: `authentication.register`."""
    app.extensions[_LIMITER] = _OneLimiter(app, limit_per_second, storage)


def add_headers(response: Response) -> None:
    """`RateLimit-*` on every answer to a key that is known."""
    if "caller" not in g:
        return
    limiter: _OneLimiter = current_app.extensions[_LIMITER]
    try:
        resets_at, remaining = limiter.limiter.get_window_stats(
            limiter.item, str(authentication.caller().actor), _SCOPE
        )
    except limiter.storage.base_exceptions:
        # The shared store went away since it counted. What was done is done, and told without them.
        return
    response.headers["RateLimit-Limit"] = str(limiter.item.amount)
    response.headers["RateLimit-Remaining"] = str(max(remaining, 0))
    response.headers["RateLimit-Reset"] = str(max(ceil(resets_at - clock.now().timestamp()), 0))


class _OneLimiter(Limiter):
    """Flask-Limiter for the one limit that there is.

    To find out which of any number of limits hold for a view takes it longer than to read a connection. Here its store is
    asked straight away; it is asked itself while the shared store is away, and then counts for this process alone.
    """

    def __init__(self, app: Flask, limit_per_second: int, storage: str) -> None:
        self.item = RateLimitItemPerSecond(limit_per_second)
        super().__init__(
            key_func=lambda: str(authentication.caller().actor),
            app=app,
            strategy="moving-window",
            application_limits=[str(self.item)],
            storage_uri=storage,
            in_memory_fallback_enabled=not storage.startswith("memory"),
        )
        self._usual = self.limiter

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        # Pages have no key and no limit.
        if "caller" not in g:
            return
        try:
            is_counted = self.limiter is self._usual
            is_within = is_counted and self._usual.hit(self.item, str(authentication.caller().actor), _SCOPE)
        except self.storage.base_exceptions:
            is_counted = False
        if not is_counted:
            try:
                super()._check_request_limit(callable_name, in_middleware)
                is_within = True
            except RateLimitExceeded:
                is_within = False
        if not is_within:
            raise TooManyRequests("API rate limit exceeded")
