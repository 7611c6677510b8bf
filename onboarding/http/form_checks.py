"""Answer a form that fails the CSRF check: load its page again, explain the cookie, or refuse another site's form."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, generate_csrf

from onboarding.http.api_requests import is_api_request
from onboarding.http.problem_pages import problem_page
from onboarding.http.route_access import View
from onboarding.runtime import current
from onboarding.translatable import marked

_OLD_PAGE = marked(
    "This page was open for too long, or its form was sent from another site. Nothing was changed. "
    "Go back, reload the page and try again."
)
_OTHER_SITE = marked(
    "This form was sent from another site. Nothing was changed. Open this site’s own page and try again."
)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: The query parameter of a page that was loaded again because its form came without the session cookie.
_COOKIE_CHECK = "cookie_check"
#: The endpoint of the page to load again, by the view that its form is sent to.
_RELOADED: dict[Callable[..., Any], str] = {}


def reload_on_csrf_failure(page_endpoint: str) -> Callable[[View], View]:
    """Load the form's page again with a new token after a failed CSRF check.

    Only for forms without input, which would be lost.
    """

    def mark(view: View) -> View:
        _RELOADED[view] = page_endpoint
        return view

    return mark


def register(app: Flask) -> None:
    app.before_request(_check_origin)
    app.before_request(_check_cookie)
    app.register_error_handler(CSRFError, _csrf_failed)


def _check_origin() -> ResponseReturnValue | None:
    """Refuse a form of another site by its `Origin` header (https://fetch.spec.whatwg.org/#origin-header).

    A browser may leave the header out, or send `null` because of a page's referrer policy; then only the CSRF token is
    checked. A proxy may change `Host`, so PUBLIC_URL counts as well.
    """
    origin = request.headers.get("Origin", "null")
    if request.method in _SAFE_METHODS or origin == "null" or is_api_request():
        return None
    is_own = origin == current().settings.origin or _host_of(origin) == request.host
    # Both hosts are empty if the origin and the `Host` header are malformed.
    return None if is_own and _host_of(origin) else problem_page(400, _OTHER_SITE)


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _check_cookie() -> ResponseReturnValue | None:
    """Explain the cookie to a browser that did not keep it after a form's page was loaded again."""
    if request.method != "GET" or _COOKIE_CHECK not in request.args:
        return None
    if _has_session_cookie():
        # A person may bookmark the page, so its address loses the parameter.
        return redirect(request.path, 303)
    return _cookie_page(current().settings.origin + request.path)


def _csrf_failed(_problem: CSRFError) -> ResponseReturnValue:
    page_endpoint = _RELOADED.get(current_app.view_functions[request.endpoint or ""])
    if page_endpoint is None:
        return problem_page(400, _OLD_PAGE) if _has_session_cookie() else _cookie_page()
    values: dict[str, Any] = dict(request.view_args or {})
    if _has_session_cookie():
        return redirect(url_for(page_endpoint, **values), 303)
    # Set a cookie with the redirect: the next request shows whether the browser keeps it.
    generate_csrf()
    return redirect(url_for(page_endpoint, **values | {_COOKIE_CHECK: "1"}), 303)


def _has_session_cookie() -> bool:
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies


def _cookie_page(link: str = "") -> ResponseReturnValue:
    """Render the page about the missing cookie, with the address to open in another browser, if it is known."""
    # Reloading the page works as soon as the browser accepts cookies.
    generate_csrf()
    host = urlsplit(current().settings.origin).hostname
    return render_template("problems/cookies_needed.html", link=link, host=host), 400
