"""List the Slack apps, and show one with the sites that it allows and the look of its customers' pages."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField

from onboarding.branding import Branding
from onboarding.errors import Refused
from onboarding.http.console_environment import environment_id
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm
from onboarding.http.route_access import allow_viewers
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.integrations.records import IntegrationChange

blueprint = Blueprint("integrations", __name__)


class OriginForm(PageForm):
    origin = StringField("Origin")


class BrandingForm(PageForm):
    name = StringField("Product name")
    accent_color = StringField("Accent color")
    support_url = StringField("Help")
    privacy_url = StringField("Privacy policy")
    logo = FileField("Logo")
    remove_logo = BooleanField("Remove the logo")


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
    return _page(identifier)


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


@blueprint.post("/integrations/<identifier>/branding")
def change_branding_submit(identifier: str) -> ResponseReturnValue:
    form = BrandingForm()
    if not form.validate_on_submit():
        return _page(identifier, branding_form=form), 422
    try:
        _change(identifier, _branding_change(form, current().integrations.find(environment_id(), identifier).branding))
    except Refused as refusal:
        form[refusal.field].errors = [refusal.sentence]
        return _page(identifier, branding_form=form), 422
    return redirect(url_for("integrations.show", identifier=identifier, _anchor="branding"), 303)


def _branding_change(form: BrandingForm, shown: Branding) -> IntegrationChange:
    """Return the values that differ from those that the page shows."""
    typed = {name: form[name].data or "" for name in ("name", "accent_color", "support_url", "privacy_url")}
    changed: dict[str, Any] = {name: text for name, text in typed.items() if text != (getattr(shown, name) or "")}
    if form.logo.data:
        return IntegrationChange(**changed, logo=form.logo.data.read())
    return IntegrationChange(**changed, remove_logo=bool(form.remove_logo.data))


def _change(identifier: str, change: IntegrationChange) -> None:
    if change != IntegrationChange():
        current().integrations.change(environment_id(), identifier, change, require_person().actor)


def _page(identifier: str, form: OriginForm | None = None, branding_form: BrandingForm | None = None) -> str:
    """Render an integration's page, with the forms that have errors. Raises NotFound."""
    found, settings = current().integrations.find(environment_id(), identifier), current().settings
    return render_template(
        "console/integrations/show.html",
        redirect_uri=settings.redirect_uri,
        sign_in_redirect_uri=settings.sign_in_redirect_uri,
        events_url=f"{settings.origin}/slack/events",
        integration=found,
        origins=current().integrations.allowed_origins(environment_id()).get(identifier, ()),
        form=form or OriginForm(formdata=None),
        branding=Product(found.branding),
        branding_form=branding_form or BrandingForm(formdata=None, obj=found.branding),
    )
