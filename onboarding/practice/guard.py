"""Access rules of the practice Slack, and the security headers of its pages.

Cross-site posts are detected by the headers that browsers send (`Sec-Fetch-Site`, else `Origin`), without a cookie or a
CSRF token: the practice Slack shares its host name with the product, whose cookies it must not touch. An HTTP client in
a CI job sends neither header, so it can post the consent form.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, request
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.routing import MapAdapter

#: Paths that servers call. Browsers do not open them as pages.
_FOR_PROGRAMS = ("/api/", "/services/")


class App(Flask):
    """The practice Slack's app. It answers a request with any `Host` header."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Route a request with an invalid `Host` header as well, so that the page that refuses it can have links."""
        try:
            return super().create_url_adapter(request)
        except BadHost:
            if request is None:
                raise
            names = {"script_name": request.root_path, "path_info": request.path}
            return self.url_map.bind("localhost", default_method=request.method, **names)


class MisdirectedRequest(HTTPException):
    code = 421
    description = "The practice Slack answers on this computer's own names only, such as 127.0.0.1 and localhost."


def register(app: Flask) -> None:
    app.before_request(_refuse_foreign_names)
    app.before_request(_refuse_cross_site_posts)
    app.after_request(_page_headers)


def allow_form_to(address: str) -> None:
    """Allow this page's form to redirect to `address`: browsers apply `form-action` to redirects after a post, too."""
    g.practice_form_target = origin_of(address)


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Return whether the Host header names loopback. Other names could resolve to this server by DNS rebinding."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_foreign_names() -> None:
    if not is_loopback(request.headers.get("Host", "")):
        raise MisdirectedRequest


def _refuse_cross_site_posts() -> None:
    if request.method == "POST" and not request.path.startswith(_FOR_PROGRAMS) and _is_cross_site(request):
        abort(403, "This form was sent from another site.")


def _is_cross_site(call: Request) -> bool:
    site = call.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = call.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != call.host


def _page_headers(answer: Response) -> Response:
    target = g.get("practice_form_target", "")
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {target}".rstrip()
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # With no-referrer, Chromium would send `Origin: null` with the page's own form.
    answer.headers["Referrer-Policy"] = "strict-origin"
    if request.endpoint != "static":
        answer.headers["Cache-Control"] = "no-store"
    return answer
