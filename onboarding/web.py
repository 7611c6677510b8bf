"""Build the Flask app from the settings."""

from typing import Any

import structlog
from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import BadHost
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from onboarding import api, embed, files, hooks, http, logs, pages, runtime
from onboarding.concurrency import RequestSlots
from onboarding.errors import locations
from onboarding.http import request_id
from onboarding.http.allowed_hosts import BAD_HOST
from onboarding.http.api_requests import is_api_request, is_signed_request
from onboarding.http.request_body import RequestBodyReader
from onboarding.lifetimes import SESSION_LIFETIME
from onboarding.services.integrations.records import MAX_LOGO_BYTES
from onboarding.settings import Settings

MAX_BODY_BYTES = 100_000
#: Below `/slack/`, where Slack sends its events.
MAX_SLACK_BODY_BYTES = 1_000_000
#: The form that uploads a logo has other fields, too.
MAX_LOGO_FORM_BYTES = MAX_LOGO_BYTES + 20_000
_LOG = structlog.get_logger(__name__)


def max_body_bytes(path: str) -> int:
    """Return the largest body that a request to this path may have, in bytes."""
    if path.startswith("/integrations/") and path.endswith("/branding"):
        return MAX_LOGO_FORM_BYTES
    return MAX_SLACK_BODY_BYTES if path.startswith("/slack/") else MAX_BODY_BYTES


class _Request(Request):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.max_content_length = max_body_bytes(self.path)


class Product(Flask):
    """The app. It logs neither addresses nor messages of exceptions."""

    request_class = _Request

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Route a request with an invalid `Host` header as well, so that its 400 page can link to other pages."""
        try:
            return super().create_url_adapter(request)
        except BadHost:
            if request is None:
                raise
            request.environ[BAD_HOST] = True
            return self.url_map.bind("localhost", path_info=request.path, default_method=request.method)

    def log_exception(self, exc_info: Any) -> None:
        """Log the exception's class and location: an address may be a working link, and a message may quote input."""
        kind, fault, _trace = exc_info
        _LOG.error("request.failed", rule=str(request.url_rule), kind=kind.__name__, at=locations(fault))


class _Sessions(SecureCookieSessionInterface):
    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the same serializer for each request. Flask builds a new one each time."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Skip sessions for programs: they send a key or a signature, and get no cookie."""
        if is_api_request() or is_signed_request():
            return self.make_null_session(app)
        return super().open_session(app, request)


def create_app(settings: Settings, built: runtime.Runtime | None = None) -> Flask:
    """Build the app for one set of settings. Raises SettingsProblem for an invalid setting."""
    logs.configure(settings)
    app = Product(__name__, template_folder=files.templates(), static_folder=files.static(), static_url_path="/static")
    app.config.update(
        SECRET_KEY=settings.signing_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.signing_keys[1:]),
        SESSION_COOKIE_NAME="__Host-session" if settings.is_https else "session",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        # A session ends twelve hours after sign-in, so no response has to renew its cookie.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_PARTS=100,
        # A page may stay open for days: CSRF tokens are valid as long as the session.
        WTF_CSRF_TIME_LIMIT=None,
        # Flask-WTF compares Referer with Host, which a proxy may change. `http/form_checks.py` compares Origin instead.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = _Sessions()
    # Answer an address with `//` with 404 instead of a redirect.
    app.url_map.merge_slashes = False
    app.extensions[runtime.EXTENSION] = built or runtime.build(settings)
    # In this order: every log line and response has a request id, and an unknown API address is answered in JSON.
    request_id.register(app)
    api.register(app, settings.api_rate_limit, settings.rate_limits)
    http.register(app)
    pages.register(app)
    embed.register(app)
    hooks.register(app)
    # The set-up form checks its own token: after a key change, the page shows the form and its input again.
    csrf = CSRFProtect(app)
    csrf.exempt(pages.setup.form_submit)
    # API requests carry a key in a header, which no other site can make a browser send.
    csrf.exempt(api.operations.blueprint)
    # Slack signs its requests.
    csrf.exempt(hooks.slack_events.blueprint)
    # A slow client sends its body before it occupies a slot. Health checks answer while all slots are taken.
    served: RequestBodyReader | ProxyFix = RequestBodyReader(
        RequestSlots(app.wsgi_app, exempt={"/healthz"}), max_body_bytes
    )
    if settings.proxy_hops:
        served = ProxyFix(served, x_for=settings.proxy_hops, x_proto=0)
    app.wsgi_app = served  # type: ignore[method-assign]  # Flask documents this way
    return app
