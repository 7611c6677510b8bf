"""The first page: what to do next, for whoever opens it."""

import secrets
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding.http.operator_guard import environment_id, signed_in_person
from onboarding.http.route_access import public
from onboarding.runtime import current
from onboarding.services.connections.records import ConsoleSearch
from onboarding.services.links import NewLink

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    known = current().integrations.all_of(environment_id())
    practice = current().integrations.is_practice_on()
    nothing_yet = not current().connections.page(environment_id(), ConsoleSearch(), None, None).total
    if nothing_yet and (practice or (signed_in_person() and not known)):
        able = practice and any(one.is_practice for one in known)
        action = url_for("home.try_submit") if able else None
        return render_template("customer/home/first_run.html", try_action=action, sign_in_hint=not signed_in_person())
    if signed_in_person():
        return redirect(url_for("connections.index"), 303)
    return render_template("customer/home/neutral.html")


@blueprint.post("/try")
@public
def try_submit() -> ResponseReturnValue:
    """A practice link for a made-up customer. There is nothing to guard in practice mode; outside it this is not here."""
    practice = [one for one in current().integrations.all_of(environment_id()) if one.is_practice]
    if not practice or not current().integrations.is_practice_on():
        abort(404)
    wish = NewLink(
        integration=practice[0].identifier,
        environment=current().environments.first().name,
        subscriber_id=f"customer-{secrets.token_hex(3)}",
        mode="subscriber",
        context_keys=("tenant:practice",),
        life=timedelta(hours=1),
    )
    return redirect(current().links.create(wish).url, 303)
