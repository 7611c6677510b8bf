"""Show the first page: the next step for a visitor, for an operator, and in practice mode."""

import secrets
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding.callers import SYSTEM
from onboarding.http import languages
from onboarding.http.console_environment import environment_id
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.operator_guard import signed_in_person
from onboarding.http.route_access import public
from onboarding.runtime import current
from onboarding.services.links.records import NewLink

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    integrations = current().integrations.all_of(environment_id())
    is_practice_on = current().practice.is_on()
    if is_practice_on or (signed_in_person() and not integrations):
        can_try = is_practice_on and any(integration.is_practice for integration in integrations)
        action = url_for("home.try_submit") if can_try else None
        languages.use_english()
        return render_template("customer/home/first_run.html", try_action=action, sign_in_hint=not signed_in_person())
    if signed_in_person():
        return redirect(url_for("connections.index"), 303)
    return render_template("customer/home/neutral.html")


@blueprint.post("/try")
@public
@reload_on_csrf_failure("home.index")
def try_submit() -> ResponseReturnValue:
    """Create a practice link for a made-up customer. Public, because it exists in practice mode only: 404 otherwise."""
    integrations = current().integrations.all_of(environment_id())
    practice_integrations = [integration for integration in integrations if integration.is_practice]
    if not practice_integrations or not current().practice.is_on():
        abort(404)
    link = NewLink(
        integration=practice_integrations[0].identifier,
        environment=current().environments.first().name,
        subscriber_id=f"customer-{secrets.token_hex(3)}",
        mode="subscriber",
        context_keys=("tenant:practice",),
        lifetime=timedelta(hours=1),
    )
    person = signed_in_person()
    return redirect(current().links.create(link, person.actor if person else SYSTEM).url, 303)
