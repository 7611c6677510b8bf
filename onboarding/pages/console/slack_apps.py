"""Add a Slack app, change its credentials, scopes and policy, and remove it. Secrets are written and never shown."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, SelectField, StringField

from onboarding import settings
from onboarding.errors import Conflict, Refused, SettingsProblem
from onboarding.http.console_environment import environment
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm, trimmed
from onboarding.runtime import current
from onboarding.services.integrations.records import (
    DEFAULT_SCOPES,
    IntegrationChange,
    IntegrationRecord,
    NewIntegration,
)
from onboarding.start_checks import check_keys

blueprint = Blueprint("slack_apps", __name__)
_POLICIES = {"allow": "Allow", "refuse": "Refuse"}


class AppForm(PageForm):
    client_secret = PasswordField("Client secret")
    signing_secret = PasswordField("Signing secret")
    scopes = StringField("Scopes", filters=[trimmed])
    workspace_policy = SelectField("Several customers in one workspace", choices=_POLICIES)

    @property
    def scope_list(self) -> tuple[str, ...]:
        return tuple((self.scopes.data or "").replace(",", " ").split())


class NewAppForm(AppForm):
    identifier = StringField("Identifier", filters=[trimmed])
    name = StringField("Product name", filters=[trimmed])
    client_id = StringField("Client id")
    is_practice = BooleanField("A practice integration")


class EditForm(AppForm):
    sign_in = BooleanField("Operators sign in with this Slack app")


@blueprint.get("/new-integration")
def new() -> ResponseReturnValue:
    return _new_page(NewAppForm(formdata=None, scopes=", ".join(DEFAULT_SCOPES)))


@blueprint.post("/new-integration")
def new_submit() -> ResponseReturnValue:
    form = NewAppForm()
    if not form.validate_on_submit():
        return _new_page(form), 422
    try:
        current().integrations.add(_new_integration(form), require_person().actor)
    except (Refused, Conflict, SettingsProblem) as problem:
        _show(form, problem)
        return _new_page(form), 422
    return redirect(url_for("integrations.show", identifier=form.identifier.data, _anchor="register"), 303)


@blueprint.get("/integrations/<identifier>/edit")
def edit(identifier: str) -> ResponseReturnValue:
    app = _find(identifier)
    values = {"scopes": ", ".join(app.scopes), "workspace_policy": app.workspace_policy, "sign_in": app.is_sign_in}
    return _edit_page(app, EditForm(formdata=None, **values))


@blueprint.post("/integrations/<identifier>/edit")
def edit_submit(identifier: str) -> ResponseReturnValue:
    app, form = _find(identifier), EditForm()
    if not form.validate_on_submit():
        return _edit_page(app, form), 422
    try:
        change = _change(form, app)
        if change != IntegrationChange():
            current().integrations.change(environment().id, identifier, change, require_person().actor)
    except Refused as refusal:
        _show(form, refusal)
        return _edit_page(app, form), 422
    return redirect(url_for("integrations.show", identifier=identifier), 303)


@blueprint.post("/integrations/<identifier>/previous-secrets/forget")
def forget_previous_secrets_submit(identifier: str) -> ResponseReturnValue:
    """Accept only the newest client secret and signing secret from now on."""
    change = IntegrationChange(forget_previous_secrets=True)
    current().integrations.change(environment().id, identifier, change, require_person().actor)
    return redirect(url_for("integrations.show", identifier=identifier), 303)


@blueprint.get("/integrations/<identifier>/remove")
def remove(identifier: str) -> ResponseReturnValue:
    return render_template("console/slack_apps/remove.html", app=_find(identifier), problem="")


@blueprint.post("/integrations/<identifier>/remove")
def remove_submit(identifier: str) -> ResponseReturnValue:
    app = _find(identifier)
    try:
        current().integrations.remove(environment().id, identifier, require_person().actor)
    except Conflict as conflict:
        return render_template("console/slack_apps/remove.html", app=app, problem=conflict.sentence), 409
    return redirect(url_for("integrations.index"), 303)


def _new_integration(form: NewAppForm) -> NewIntegration:
    """Return the integration that the form describes.

    Raises Refused, and SettingsProblem if a real app would use generated keys.
    """
    identifier, environment_name, policy = form.identifier.data or "", environment().name, form.workspace_policy.data
    name = form.name.data or identifier
    if form.is_practice.data:
        return NewIntegration.for_practice(identifier, name, environment_name, policy, form.scope_list)
    check_keys(current(), settings.keys_are_given(), is_real=True)
    return NewIntegration(
        identifier=identifier,
        name=name,
        environment=environment_name,
        client_id=form.client_id.data or "",
        client_secret=form.client_secret.data or "",
        signing_secret=form.signing_secret.data or None,
        scopes=form.scope_list,
        workspace_policy=policy,
    )


def _change(form: EditForm, app: IntegrationRecord) -> IntegrationChange:
    """Return the values that differ. An empty secret keeps the one that is stored."""
    sign_in, policy = bool(form.sign_in.data), form.workspace_policy.data
    return IntegrationChange(
        client_secret=form.client_secret.data or None,
        signing_secret=form.signing_secret.data or None,
        scopes=None if form.scope_list == app.scopes else form.scope_list,
        workspace_policy=None if policy == app.workspace_policy else policy,
        sign_in=None if sign_in == app.is_sign_in else sign_in,
    )


def _show(form: AppForm, problem: Refused | Conflict | SettingsProblem) -> None:
    """Show the problem beside the field that it is about."""
    name = problem.field if isinstance(problem, Refused) else ""
    field = form[name] if name in form else form["identifier" if "identifier" in form else "scopes"]
    field.errors = [*field.errors, problem.sentence]


def _new_page(form: NewAppForm) -> str:
    can_practice = current().settings.practice_possible and current().practice.is_on()
    return render_template("console/slack_apps/new.html", form=form, can_practice=can_practice)


def _edit_page(app: IntegrationRecord, form: EditForm) -> str:
    return render_template("console/slack_apps/edit.html", app=app, form=form)


def _find(identifier: str) -> IntegrationRecord:
    return current().integrations.find(environment().id, identifier)
