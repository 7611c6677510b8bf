"""Try the embeds with a practice integration: choose a kind and a session's values, copy the snippet, see events."""

from datetime import timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField, ValidationError
from wtforms.validators import DataRequired

from onboarding.errors import NotFound, Refused
from onboarding.http import security_headers
from onboarding.http.console_environment import environment, environment_id
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm, trimmed
from onboarding.identity import is_context_key
from onboarding.runtime import current
from onboarding.services.links.records import NewLink

blueprint = Blueprint("playground", __name__)
security_headers.set_policy(blueprint, security_headers.PLAYGROUND)

_KINDS = {"element": "Element", "card": "Card", "link": "Link"}
_MODES = {"": "The customer chooses", "subscriber": "Subscriber", "shared": "Shared"}
_THEMES = {"auto": "Same as the browser", "light": "Light", "dark": "Dark"}
_SIZES = {"default": "Default", "small": "Small", "large": "Large"}
_LANGUAGES = {"": "Same as the browser", "en": "English", "de": "German"}
_LIFETIME = timedelta(minutes=30)


class PlaygroundForm(PageForm):
    """The choices, which are in the address. They change nothing, so they need no CSRF token."""

    class Meta:
        csrf = False

    kind = SelectField("Kind", choices=_KINDS, default="element")
    integration = SelectField("Integration")
    subscriber = StringField("Subscriber", [DataRequired("Name a subscriber.")], filters=[trimmed], default="northwind")
    context = StringField("Context", filters=[trimmed])
    mode = SelectField("Mode", choices=_MODES, default="subscriber")
    theme = SelectField("Theme", choices=_THEMES, default="auto")
    size = SelectField("Size", choices=_SIZES, default="default")
    lang = SelectField("Language", choices=_LANGUAGES, default="")

    def validate_context(self, field: StringField) -> None:
        if field.data and not is_context_key(field.data):
            raise ValidationError("Write a type and an id, such as tenant:acme.")

    @property
    def looks(self) -> dict[str, str]:
        """Return the choices that are not the default, by their names in HTML and in addresses."""
        fields = (self.theme, self.size, self.lang)
        return {field.name: field.data for field in fields if field.data not in ("", "auto", "default")}


@blueprint.get("/playground")
def show() -> ResponseReturnValue:
    form = _form()
    if form is None:
        return render_template("console/playground/off.html")
    is_valid = form.validate()
    page = render_template(
        "console/playground/show.html",
        form=form,
        is_valid=is_valid,
        origin=current().settings.origin,
        choices=request.args.to_dict(),
    )
    return page, 200 if is_valid else 422


@blueprint.post("/playground/session")
def session_submit() -> ResponseReturnValue:
    """Create a connect session, as a host's server does for the customer who is signed in there."""
    form = _form()
    if form is None or not form.validate():
        return {"error": "The choices are invalid."}, 422
    new = NewLink(
        integration=form.integration.data,
        environment=environment().name,
        subscriber_id=form.subscriber.data,
        context_keys=(form.context.data,) if form.context.data else (),
        mode=form.mode.data or None,
        lifetime=_LIFETIME,
    )
    try:
        created = current().links.create_practice_session(environment_id(), new, require_person().actor)
    except (NotFound, Refused) as problem:
        return {"error": problem.sentence}, 422
    return {"id": created.id, "token": created.token, "url": created.url}, 201


def _form() -> PlaygroundForm | None:
    """Return the form with the choices of the address. None without a practice integration or outside practice mode."""
    integrations = [one for one in current().integrations.all_of(environment_id()) if one.is_practice]
    if not integrations or not current().practice.is_on():
        return None
    form = PlaygroundForm(request.args or None)
    form.integration.choices = {one.identifier: one.label for one in integrations}
    form.integration.data = form.integration.data or integrations[0].identifier
    return form
