"""Sign operators in by a one-time link, and sign them out."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding.http import operator_guard
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.route_access import public
from onboarding.http.sign_in_page import render_sign_in
from onboarding.runtime import current
from onboarding.services.operators import SignInProblem

blueprint = Blueprint("operators", __name__)


@blueprint.get("/sign-in")
@public
def needed() -> ResponseReturnValue:
    return render_sign_in("console/operators/needed.html")


@blueprint.get("/sign-in/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Show a button: mail scanners open links, and must not use them up."""
    found = current().operators.check_link(token)
    if isinstance(found, SignInProblem):
        return render_sign_in("console/operators/unusable.html", reason=found.reason), 410
    return render_template(
        "console/operators/confirm.html", label=found.label, action=url_for("operators.confirm_submit", token=token)
    )


@blueprint.post("/sign-in/<token>")
@public
@reload_on_csrf_failure("operators.confirm")
def confirm_submit(token: str) -> ResponseReturnValue:
    session_token = current().operators.sign_in(token)
    if isinstance(session_token, SignInProblem):
        return render_sign_in("console/operators/unusable.html", reason=session_token.reason), 410
    operator_guard.start_session(session_token)
    return redirect(url_for("connections.index"), 303)


@blueprint.post("/sign-out")
@public
def out() -> ResponseReturnValue:
    operator_guard.end_session()
    return redirect(url_for("operators.signed_out"), 303)


@blueprint.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    return render_sign_in("console/operators/out.html")
