"""What every page's answer says to the browser. Answers to programs say what they say themselves."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from onboarding.runtime import current

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
)


def leads_to_slack() -> None:
    """For pages with a form whose post is answered by a redirect to Slack, which browsers check too."""
    g.leads_to_slack = True


def register(app: Flask) -> None:
    app.after_request(_say)


def _say(response: Response) -> Response:
    if "request_id" in g:
        return response
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=300"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    on_the_way = request.blueprint in ("connect", "callback", "results", "setup", "installs")
    is_callback = request.blueprint == "callback"
    response.headers["Content-Security-Policy"] = _POLICY.format(forms=_forms())
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer" if is_callback else "same-origin"
    # A strict opener policy on any hop of a popup's way cuts it off from the page that opened it.
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none" if on_the_way else "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def _forms() -> str:
    if not g.get("leads_to_slack"):
        return "'self'"
    # Slack forwards to the team's own address or a company's sign-in: every hop has to be allowed.
    slack = urlsplit(current().settings.slack_url)
    return "'self' https:" + (f" {slack.scheme}://{slack.netloc}" if slack.scheme == "http" else "")
