"""Explain the errors that Slack shows on its own page, and does not report to this app."""

from flask import Blueprint, render_template

from onboarding.http.route_access import public

blueprint = Blueprint("slack_errors", __name__)


@blueprint.get("/slack/errors")
@public
def show() -> str:
    return render_template("customer/slack_errors/show.html")
