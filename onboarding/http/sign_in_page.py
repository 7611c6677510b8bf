"""Render a page that offers to sign in: with Slack if an app is chosen for that, and with a one-time link."""

from flask import current_app, render_template, request

from onboarding.errors import StorageProblem
from onboarding.http import route_access
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
    is_wanted = request.method == "GET" and not route_access.is_public(
        current_app.view_functions[request.endpoint or ""]
    )
    wanted = request.full_path.rstrip("?") if is_wanted else ""
    return render_template(template, offers_slack=offers_slack, wanted=wanted, **values)
