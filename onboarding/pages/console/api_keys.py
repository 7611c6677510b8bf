"""List, create and revoke API keys. A new key is shown once."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired

from onboarding.errors import Conflict, NotFound, Refused
from onboarding.http.console_environment import environment
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm, trimmed
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current
from onboarding.services.api_keys import SCOPES, KeySummary, NewApiKey

blueprint = Blueprint("api_keys", __name__)
_LIFETIMES = {"": "It does not expire", "30": "30 days", "90": "90 days", "365": "1 year"}


class KeyForm(PageForm):
    name = StringField("Name", filters=[trimmed])
    scopes = SelectMultipleField(
        "Scopes",
        choices={scope: scope for scope in SCOPES},
        validators=[DataRequired("Choose at least one scope.")],
    )
    lifetime = SelectField("Expires in", choices=_LIFETIMES)

    @property
    def new_key(self) -> NewApiKey:
        lifetime = timedelta(days=int(self.lifetime.data)) if self.lifetime.data else None
        return NewApiKey(self.name.data or "", environment().name, tuple(self.scopes.data or ()), lifetime)


@blueprint.get("/api-keys")
@allow_viewers
def index() -> ResponseReturnValue:
    rows = current().api_keys.all_of(environment().name)
    revoked_last = sorted(rows, key=lambda one: one.is_revoked)
    return render_template("console/api_keys/list.html", rows=revoked_last, all_scopes=len(SCOPES))


@blueprint.get("/api-keys/new")
def new() -> ResponseReturnValue:
    return _form_page(KeyForm())


@blueprint.post("/api-keys/new")
def new_submit() -> ResponseReturnValue:
    """Create the key and show it in this response. Only its digest is stored, so no later page can show it."""
    form = KeyForm()
    if not form.validate_on_submit():
        return _form_page(form), 422
    try:
        created = current().api_keys.create(form.new_key, require_person().actor)
    except (Refused, Conflict) as refusal:
        form.name.errors = [*form.name.errors, refusal.sentence]
        return _form_page(form), 422
    return render_template("console/api_keys/created.html", created=created, name=form.name.data)


@blueprint.get("/api-keys/<key_id>/revoke")
def revoke(key_id: str) -> ResponseReturnValue:
    return render_template("console/api_keys/revoke.html", key=_find(key_id))


@blueprint.post("/api-keys/<key_id>/revoke")
def revoke_submit(key_id: str) -> ResponseReturnValue:
    """Revoke the key. One that somebody else has revoked in the meantime stays revoked."""
    key = _find(key_id)
    if not key.is_revoked:
        current().api_keys.revoke(key.name, environment().name, require_person().actor)
    return redirect(url_for("api_keys.index"), 303)


def _find(key_id: str) -> KeySummary:
    """Return the API key of this id. Raises NotFound."""
    found = next((one for one in current().api_keys.all_of(environment().name) if one.id == key_id), None)
    if found is None:
        raise NotFound(kind="API key", name=key_id)
    return found


def _form_page(form: KeyForm) -> str:
    return render_template("console/api_keys/new.html", form=form, scopes=SCOPES)
