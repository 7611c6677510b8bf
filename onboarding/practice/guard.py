"""Who may talk to the practice Slack, and the headers of its pages.

Cross-site posts are told by what every browser of today says about them (`Sec-Fetch-Site`, else `Origin`), so there is
no cookie and no token: the practice Slack lives on the host's own name, where a cookie of its own could only get in the
way, and a host's CI can press Allow with a plain HTTP client, which sends neither header.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, request
from werkzeug.exceptions import HTTPException

#: What a server calls is not a page; its callers are no browsers.
_FOR_PROGRAMS = ("/api/", "/services/")


class MisdirectedRequest(HTTPException):
    code = 421
    description = "The practice Slack answers on this computer's own names only, such as 127.0.0.1 and localhost."


def register(app: Flask) -> None:
    app.before_request(_refuse_foreign_names)
    app.before_request(_refuse_cross_site_posts)
    app.after_request(_page_headers)


def allow_form_to(address: str) -> None:
    """This page's form may end at `address`: browsers hold `form-action` against the redirects after a post, too."""
    g.practice_form_target = origin_of(address)


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """`host` as in the Host header: a name or address, perhaps with a port. Other names could be rebound to us by DNS."""
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
    # Not no-referrer: Chromium would then send `Origin: null` with the page's own form.
    answer.headers["Referrer-Policy"] = "strict-origin"
    if request.endpoint != "static":
        answer.headers["Cache-Control"] = "no-store"
    return answer
