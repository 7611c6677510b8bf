"""Operators' sign-in by one-time link, and sign-out."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding.pages import guard
from onboarding.reach import public
from onboarding.runtime import current
from onboarding.services.access import SignInProblem

blueprint = Blueprint("signin", __name__)


@blueprint.get("/sign-in")
@public
def needed() -> ResponseReturnValue:
    return render_template("signin/needed.html")


@blueprint.get("/sign-in/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Shows a button: mail scanners open links, and must not use them up."""
    found = current().access.look(token)
    if isinstance(found, SignInProblem):
        return render_template("signin/unusable.html", reason=found.reason), 410
    return render_template(
        "signin/confirm.html", email=found.email, action=url_for("signin.confirm_submit", token=token)
    )


@blueprint.post("/sign-in/<token>")
@public
def confirm_submit(token: str) -> ResponseReturnValue:
    made = current().access.sign_in(token)
    if isinstance(made, SignInProblem):
        return render_template("signin/unusable.html", reason=made.reason), 410
    guard.remember(made)
    return redirect(url_for("connections.index"), 303)


@blueprint.post("/sign-out")
@public
def out() -> ResponseReturnValue:
    guard.forget()
    return redirect(url_for("signin.signed_out"), 303)


@blueprint.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    return render_template("signin/out.html")
