"""The form after Slack has answered: mode, subscriber, context."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import FieldList, Form, FormField, RadioField, StringField, ValidationError
from wtforms.validators import Length, Optional

from onboarding import ids
from onboarding.errors import NotFound, Refused
from onboarding.http.route_access import public
from onboarding.identity import CONTEXT_WORD, MOST_CONTEXTS
from onboarding.outcomes import Outcome
from onboarding.pages.customer import attempt_cookies, callback, results
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.installs.setup import SetupInput, SetupPage

blueprint = Blueprint("setup", __name__)


class ContextRow(Form):
    type = StringField("Type", filters=[lambda text: text.strip() if text else text])
    id = StringField("Id", filters=[lambda text: text.strip() if text else text])

    def validate_type(self, field: StringField) -> None:
        if not field.data and self.id.data:
            raise ValidationError("Enter the type of this context.")
        _check_word(field)

    def validate_id(self, field: StringField) -> None:
        if not field.data and self.type.data:
            raise ValidationError("Enter the id of this context.")
        _check_word(field)


class SetupForm(FlaskForm):  # type: ignore[misc]  # it has no types
    """All fields; `form_for` takes away those that the link fixes."""

    connection_mode = RadioField("Mode", choices=[], validators=[Optional()], validate_choice=False)
    subscriber_id = StringField("Subscriber", [Length(max=255)], filters=[lambda text: text.strip() if text else text])
    offered_context = RadioField("Context", choices=[], validators=[Optional()], validate_choice=False)
    contexts = FieldList(FormField(ContextRow), min_entries=MOST_CONTEXTS, max_entries=MOST_CONTEXTS)

    def validate_subscriber_id(self, field: StringField) -> None:
        mode = self.connection_mode.data if "connection_mode" in self else "subscriber"
        if field.data and mode == "subscriber" and not ids.is_addressable(field.data):
            raise ValidationError("Use 1 to 255 characters, without / % ? # \\ and control characters.")

    def validate_contexts(self, field: "FieldList[FormField[ContextRow]]") -> None:
        kinds = [row["type"].data for row in field.entries if row["type"].data]
        if len(set(kinds)) < len(kinds):
            raise ValidationError("Each type can stand once. Remove the one that is there twice.")


@blueprint.get("/slack/setup/<attempt_id>")
@public
def form(attempt_id: str) -> ResponseReturnValue:
    view = _view(attempt_id)
    if not isinstance(view, SetupPage):
        return view
    return _page(attempt_id, view, form_for(view))


@blueprint.post("/slack/setup/<attempt_id>")
@public
def form_submit(attempt_id: str) -> ResponseReturnValue:
    view = _view(attempt_id)
    if not isinstance(view, SetupPage):
        return view
    filled = form_for(view)
    if not filled.validate_on_submit():
        if "csrf_token" in filled.errors:
            _put_beside(filled, Refused("This page was open in an old session. Look it over and send it again."))
        return _page(attempt_id, view, filled), 422
    try:
        finished = current().installs.save_setup(attempt_id, attempt_cookies.binding(attempt_id), _picked(filled))
    except Refused as refusal:
        _put_beside(filled, refusal)
        return _page(attempt_id, view, filled), 422
    return callback.lead_on(finished)


@blueprint.post("/slack/setup/<attempt_id>/cancel")
@public
def cancel_submit(attempt_id: str) -> ResponseReturnValue:
    current().installs.decline(attempt_id, attempt_cookies.binding(attempt_id))
    return redirect(url_for("results.show", attempt_id=attempt_id), 303)


def form_for(view: SetupPage) -> SetupForm:
    made = SetupForm()
    if len(view.modes) > 1:
        made.connection_mode.choices = [(mode, mode) for mode in view.modes]
        made.connection_mode.data = made.connection_mode.data or view.modes[0]
    else:
        del made.connection_mode
    if view.kind == "link" or view.mode == "shared":
        del made.subscriber_id
    if view.kind == "link":
        del made.contexts
    if view.offered_context_keys:
        made.offered_context.choices = [(key, key) for key in view.offered_context_keys]
    else:
        del made.offered_context
    return made


def _view(attempt_id: str) -> SetupPage | ResponseReturnValue:
    try:
        view = current().installs.view_setup(attempt_id, attempt_cookies.binding(attempt_id))
    except NotFound:
        return results.neutral(Outcome.OTHER_BROWSER, None)
    if isinstance(view, SetupPage):
        return view
    return redirect(url_for("results.show", attempt_id=attempt_id), 303)


def _page(attempt_id: str, view: SetupPage, filled: SetupForm) -> str:
    return render_template(
        "customer/setup/setup.html",
        setup=view,
        form=filled,
        product=Product(view.app_name),
        cancel_action=url_for("setup.cancel_submit", attempt_id=attempt_id),
    )


def _picked(filled: SetupForm) -> SetupInput:
    rows = filled.contexts.entries if "contexts" in filled else []
    return SetupInput(
        mode=filled.connection_mode.data if "connection_mode" in filled else None,
        subscriber_id=(filled.subscriber_id.data or None) if "subscriber_id" in filled else None,
        context_keys=tuple(f"{row['type'].data}:{row['id'].data}" for row in rows if row["type"].data),
        offered_context=filled.offered_context.data if "offered_context" in filled else None,
    )


def _put_beside(filled: SetupForm, refusal: Refused) -> None:
    field = (
        filled[refusal.field] if refusal.field in filled else next(one for one in filled if one.name != "csrf_token")
    )
    field.errors = [*field.errors, refusal.sentence]


def _check_word(field: StringField) -> None:
    if field.data and not CONTEXT_WORD.match(field.data):
        raise ValidationError("Use letters, digits, - and _ only, at most 100.")
