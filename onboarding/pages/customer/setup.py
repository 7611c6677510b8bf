"""Show and save the form after Slack has answered: mode, subscriber, contexts."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import FieldList, Form, FormField, RadioField, StringField, ValidationError
from wtforms.validators import Length, Optional

from onboarding.characters import has_invisible, is_addressable
from onboarding.errors import NotFound, Refused
from onboarding.http import languages, security_headers
from onboarding.http.languages import translate
from onboarding.http.page_form import PageForm, trimmed
from onboarding.http.route_access import public
from onboarding.identity import CONTEXT_PART, MAX_CONTEXTS
from onboarding.outcomes import Outcome
from onboarding.pages.customer import answers, attempt_cookies
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.installs.setup import SetupInput, SetupPage
from onboarding.translatable import marked

blueprint = Blueprint("setup", __name__)
security_headers.set_policy(blueprint, security_headers.INSTALL_PAGE)


class ContextRow(Form):
    type = StringField("Type", filters=[trimmed])
    id = StringField("Id", filters=[trimmed])

    def validate_type(self, field: StringField) -> None:
        if not field.data and self.id.data:
            raise ValidationError(translate(marked("Enter the type.")))
        _check_characters(field)

    def validate_id(self, field: StringField) -> None:
        if not field.data and self.type.data:
            raise ValidationError(translate(marked("Enter the id.")))
        _check_characters(field)


class SetupForm(PageForm):
    """All fields. `form_for` removes those that the link fixes."""

    connection_mode = RadioField("Mode", choices=[], validators=[Optional()], validate_choice=False)
    subscriber_id = StringField("Subscriber", [Length(max=255)], filters=[trimmed])
    offered_context = RadioField("Context", choices=[], validators=[Optional()], validate_choice=False)
    contexts = FieldList(FormField(ContextRow), min_entries=MAX_CONTEXTS, max_entries=MAX_CONTEXTS)

    def validate_subscriber_id(self, field: StringField) -> None:
        if field.data and has_invisible(field.data):
            raise ValidationError(
                translate(marked("This id has invisible characters or unusual spaces. Type it instead of pasting it."))
            )
        mode = self.connection_mode.data if "connection_mode" in self else "subscriber"
        if field.data and mode == "subscriber" and not is_addressable(field.data):
            raise ValidationError(
                translate(marked("Use 1 to 255 characters, without / % ? # \\ and control characters."))
            )

    def validate_contexts(self, field: "FieldList[FormField[ContextRow]]") -> None:
        types = [row["type"].data for row in field.entries if row["type"].data]
        if len(set(types)) < len(types):
            raise ValidationError(translate(marked("Use each type once. Remove the second one.")))


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
        # This view is exempt from the check for all forms, whose error page would lose the input.
        if "csrf_token" in filled.errors:
            _add_error(
                filled, Refused(marked("This page was open for too long. Check your input and send the form again."))
            )
        return _page(attempt_id, view, filled), 422
    try:
        step = current().installs.save_setup(attempt_id, attempt_cookies.binding(attempt_id), _input_of(filled))
    except Refused as refusal:
        _add_error(filled, refusal)
        return _page(attempt_id, view, filled), 422
    return answers.continue_after(step)


@blueprint.post("/slack/setup/<attempt_id>/cancel")
@public
def cancel_submit(attempt_id: str) -> ResponseReturnValue:
    current().installs.decline(attempt_id, attempt_cookies.binding(attempt_id))
    return redirect(url_for("results.show", attempt_id=attempt_id), 303)


def form_for(view: SetupPage) -> SetupForm:
    """Build the form with the fields that are open, filled in from the request."""
    built = SetupForm()
    if len(view.modes) > 1:
        built.connection_mode.choices = [(mode, mode) for mode in view.modes]
        built.connection_mode.data = built.connection_mode.data or view.modes[0]
    else:
        del built.connection_mode
    if view.kind == "link" or view.mode == "shared":
        del built.subscriber_id
    if view.kind == "link":
        del built.contexts
    if view.offered_contexts:
        built.offered_context.choices = [(one.key, one.label or one.id) for one in view.offered_contexts]
    else:
        del built.offered_context
    return built


def _view(attempt_id: str) -> SetupPage | ResponseReturnValue:
    """Return what the form shows, or the answer for an attempt that does not wait for this form."""
    try:
        view = current().installs.view_setup(attempt_id, attempt_cookies.binding(attempt_id))
    except NotFound:
        return answers.neutral_page(Outcome.OTHER_BROWSER)
    if isinstance(view, SetupPage):
        if view.kind == "operator":
            # An operator chooses in the API's terms.
            languages.use_english()
        return view
    return redirect(url_for("results.show", attempt_id=attempt_id), 303)


def _page(attempt_id: str, view: SetupPage, filled: SetupForm) -> str:
    return render_template(
        "customer/setup/setup.html",
        setup=view,
        form=filled,
        product=Product(view.branding),
        cancel_action=url_for("setup.cancel_submit", attempt_id=attempt_id),
    )


def _input_of(filled: SetupForm) -> SetupInput:
    rows = filled.contexts.entries if "contexts" in filled else []
    return SetupInput(
        mode=filled.connection_mode.data if "connection_mode" in filled else None,
        subscriber_id=(filled.subscriber_id.data or None) if "subscriber_id" in filled else None,
        context_keys=tuple(f"{row['type'].data}:{row['id'].data}" for row in rows if row["type"].data),
        offered_context=filled.offered_context.data if "offered_context" in filled else None,
    )


def _add_error(filled: SetupForm, refusal: Refused) -> None:
    """Show a refusal beside the field that it names, otherwise beside the first one."""
    field = (
        filled[refusal.field]
        if refusal.field in filled
        else next(field for field in filled if field.name != "csrf_token")
    )
    field.errors = [*field.errors, translate(refusal.sentence)]


def _check_characters(field: StringField) -> None:
    if field.data and not CONTEXT_PART.match(field.data):
        raise ValidationError(translate(marked("Use letters, digits, - and _ only, at most 100.")))
