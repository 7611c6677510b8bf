"""List the Slack apps, and show one with the sites that it allows."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from onboarding.errors import Refused, unknown_integration
from onboarding.http.operator_guard import environment_id, require_person
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current
from onboarding.services.integrations import IntegrationChange

blueprint = Blueprint("integrations", __name__)


class OriginForm(FlaskForm):  # type: ignore[misc]  # it has no types
    origin = StringField("Origin")


@blueprint.get("/integrations")
@allow_viewers
def index() -> ResponseReturnValue:
    integrations = current().integrations
    return render_template(
        "console/integrations/list.html",
        rows=integrations.all_of(environment_id()),
        allowed=integrations.allowed_origins(environment_id()),
    )


@blueprint.get("/integrations/<identifier>")
@allow_viewers
def show(identifier: str) -> ResponseReturnValue:
    return _page(identifier, OriginForm())


@blueprint.post("/integrations/<identifier>/origins")
def add_origin_submit(identifier: str) -> ResponseReturnValue:
    form = OriginForm()
    if not form.validate_on_submit():
        return _page(identifier, form), 422
    try:
        _change(identifier, IntegrationChange(add_origins=(form.origin.data or "",)))
    except Refused as refusal:
        form.origin.errors = [*form.origin.errors, refusal.sentence]
        return _page(identifier, form), 422
    return redirect(url_for("integrations.show", identifier=identifier), 303)


@blueprint.post("/integrations/<identifier>/origins/remove")
def remove_origin_submit(identifier: str) -> ResponseReturnValue:
    """Remove an origin. One that somebody else has removed in the meantime stays removed."""
    origin = OriginForm().origin.data or ""
    if origin in current().integrations.allowed_origins(environment_id()).get(identifier, ()):
        _change(identifier, IntegrationChange(remove_origins=(origin,)))
    return redirect(url_for("integrations.show", identifier=identifier), 303)


def _change(identifier: str, change: IntegrationChange) -> None:
    current().integrations.change(environment_id(), identifier, change, require_person().actor)


def _page(identifier: str, form: OriginForm) -> str:
    """Render an integration's page. Raises NotFound."""
    integrations = current().integrations
    found = next((one for one in integrations.all_of(environment_id()) if one.identifier == identifier), None)
    if found is None:
        raise unknown_integration(identifier)
    origins = integrations.allowed_origins(environment_id()).get(identifier, ())
    return render_template("console/integrations/show.html", integration=found, origins=origins, form=form)
