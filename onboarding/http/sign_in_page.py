"""Render a page that offers to sign in: with Slack if an app is chosen for that, and with a one-time link."""

from flask import render_template, request

from onboarding.errors import StorageProblem
from onboarding.http.security_headers import allow_form_redirects_to_slack
from onboarding.runtime import current


def render_sign_in(template: str, **values: object) -> str:
    """Render the page. Its form continues to Slack, and afterwards to the page that was asked for."""
    try:
        offers_slack = current().slack_sign_in.is_offered()
    except StorageProblem:
        offers_slack = False
    if offers_slack:
        allow_form_redirects_to_slack()
    is_own_page = (request.endpoint or "").startswith(("operators.", "slack_sign_in."))
    wanted = request.full_path.rstrip("?") if request.method == "GET" and not is_own_page else ""
    return render_template(template, offers_slack=offers_slack, wanted=wanted, **values)
