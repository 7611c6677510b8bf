"""The Flask app: settings in, WSGI object out."""

import io
import logging
import sys
import traceback
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import get_content_length

from onboarding import api, concurrency, files, http, pages, runtime
from onboarding.http import request_id
from onboarding.http.api_requests import is_api_request
from onboarding.services.operators import SESSION_LIFETIME
from onboarding.settings import Settings

LARGEST_BODY_BYTES = 100_000
_LOG = structlog.get_logger(__name__)


class Product(Flask):
    """Its requests work in turn."""

    def log_exception(self, exc_info: Any) -> None:
        """Where it happened and of what kind. An address may be a link that works for who reads it, a message may quote
        what people sent: neither is logged."""
        kind, _fault, trace = exc_info
        at = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
        _LOG.error("request.failed", rule=str(request.url_rule), kind=kind.__name__, at=at)

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"] = _arrived(environ)
        with concurrency.request_slot():
            return super().wsgi_app(environ, start_response)


class _Sessions(SecureCookieSessionInterface):
    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Give the API no session: its callers send a key, and get no cookie."""
        if is_api_request():
            return self.make_null_session(app)
        return super().open_session(app, request)


def create_app(settings: Settings, built: runtime.Runtime | None = None) -> Flask:
    """The product for one set of settings. Raises SettingsProblem where a setting does not do."""
    configure_logs(settings)
    app = Product(__name__, template_folder=files.templates(), static_folder=files.static(), static_url_path="/static")
    app.config.update(
        SECRET_KEY=settings.signing_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.signing_keys[1:]),
        SESSION_COOKIE_NAME="__Host-session" if settings.is_https else "session",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        # A sign-in ends twelve hours after it began, so its cookie need not be sent anew with each answer.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_PARTS=100,
        # A link lives for days and so does the page that it opens: CSRF tokens live as long as the session.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = _Sessions()
    # `//` is no shorter way of writing `/`: what is not served is not found.
    app.url_map.merge_slashes = False
    app.extensions[runtime.EXTENSION] = built or runtime.build(settings)
    # In this order: every log line and response has a request id, and an unknown API address is answered in JSON.
    request_id.register(app)
    api.register(app, settings.api_rate_limit, settings.rate_limits)
    http.register(app)
    pages.register(app)
    # The set-up form checks its token itself and is shown again with its input when the session is an old one.
    csrf = CSRFProtect(app)
    csrf.exempt(pages.setup.form_submit)
    # Programs show a key in a header, which no other site's page can make a browser send.
    csrf.exempt(api.operations.blueprint)
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=0)  # type: ignore[method-assign]  # Flask documents this way
    return app


def _arrived(environ: Any) -> Any:
    """The whole body, read before the turn: who sends it slowly keeps nobody from work. One too large is refused unread."""
    body, left = environ["wsgi.input"], get_content_length(environ)
    if left is None and environ.get("wsgi.input_terminated"):
        # Its length is not told beforehand: it is read until it is too large.
        left = LARGEST_BODY_BYTES + 1
    elif not left or left > LARGEST_BODY_BYTES:
        return body
    # Of one that breaks off, the app gets what came. Without this word it is held against its length and refused.
    environ.pop("wsgi.input_terminated", None)
    arrived, is_told = io.BytesIO(), environ.get("CONTENT_LENGTH")
    with suppress(OSError):
        while left and (part := body.read(left)):
            left -= arrived.write(part)
    if not is_told:
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(arrived.tell())
    arrived.seek(0)
    return arrived


def configure_logs(settings: Settings) -> None:
    """structlog for our lines. Query strings and bodies are never logged: they hold codes and states."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    # One flow for our lines and the libraries'; a server or a test that has set up logging keeps its own.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("onboarding").setLevel(level)
