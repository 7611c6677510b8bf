"""List links, create one, show its address again, and revoke it."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField, ValidationError

from onboarding.errors import Refused
from onboarding.http.console_environment import environment, environment_id, require_integrations
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm, trimmed
from onboarding.http.route_access import allow_viewers
from onboarding.identity import is_context_key
from onboarding.runtime import current
from onboarding.services.links.records import NewLink

blueprint = Blueprint("links", __name__)
_MODES = {"": "The customer chooses", "subscriber": "Subscriber", "shared": "Shared"}
_LIFETIMES = {"1": "1 day", "7": "7 days", "30": "30 days", "90": "90 days"}
#: The form's field for each value that the service refuses. Any other refusal is shown at the subscriber.
_FIELDS = {"context_keys": "contexts", "mode": "mode", "return_url": "return_url"}


class LinkForm(PageForm):
    integration = SelectField("Integration")
    subscriber_id = StringField("Subscriber", filters=[trimmed])
    contexts = StringField("Context", filters=[trimmed])
    mode = SelectField("Mode", choices=_MODES)
    return_url = StringField("Return address", filters=[trimmed])
    lifetime = SelectField("Expires in", choices=_LIFETIMES, default="7")

    @property
    def context_keys(self) -> tuple[str, ...]:
        """Return the context keys as `type:id`. A person may type `type=id`, and commas between them."""
        typed = self.contexts.data or ""
        return tuple(text.replace("=", ":", 1) for text in typed.replace(",", " ").split())

    def validate_contexts(self, _field: StringField) -> None:
        for key in self.context_keys:
            if not is_context_key(key):
                raise ValidationError(f"“{key}” is not a context. Write a type and an id, such as tenant:acme.")


@blueprint.get("/links")
@allow_viewers
def index() -> ResponseReturnValue:
    """List the links. Only operators see addresses, because anyone can connect a workspace with one."""
    page = current().links.page(environment_id(), request.args.get("after"), request.args.get("before"))
    return render_template(
        "console/links/list.html",
        rows=page.rows,
        url_of=current().links.url if require_person().may_change else None,
        next_url=url_for("links.index", after=page.next) if page.next else None,
        previous_url=url_for("links.index", before=page.previous) if page.previous else None,
    )


@blueprint.get("/links/new")
def new() -> ResponseReturnValue:
    form = _form()
    form.subscriber_id.data = request.args.get("subscriber", "")
    return _form_page(form)


@blueprint.post("/links/new")
def new_submit() -> ResponseReturnValue:
    form = _form()
    if not form.validate_on_submit():
        return _form_page(form), 422
    try:
        link = current().links.create(_new_link(form), require_person().actor)
    except Refused as refusal:
        field = form[_FIELDS.get(refusal.field, "subscriber_id")]
        field.errors = [*field.errors, refusal.sentence]
        return _form_page(form), 422
    return redirect(url_for("links.show", link_id=link.id), 303)


@blueprint.get("/links/<link_id>")
def show(link_id: str) -> ResponseReturnValue:
    """Show a link. `connection` in the query is the connection that it was created for, to go back to."""
    link, connection = current().links.find(environment_id(), link_id), request.args.get("connection")
    return render_template(
        "console/links/show.html", link=link, url=current().links.url(link.id), connection=connection
    )


@blueprint.post("/links/<link_id>/revoke")
def revoke_submit(link_id: str) -> ResponseReturnValue:
    """Revoke the link. A link that is no longer usable stays as it is, and its page says why."""
    link = current().links.find(environment_id(), link_id)
    current().links.revoke(link.id, require_person().actor)
    return redirect(url_for("links.show", link_id=link.id), 303)


def _form() -> LinkForm:
    form = LinkForm()
    form.integration.choices = {one.identifier: one.label for one in require_integrations()}
    return form


def _form_page(form: LinkForm) -> str:
    return render_template("console/links/new.html", form=form)


def _new_link(form: LinkForm) -> NewLink:
    return NewLink(
        integration=form.integration.data,
        environment=environment().name,
        subscriber_id=form.subscriber_id.data or None,
        context_keys=form.context_keys,
        mode=form.mode.data or None,
        return_url=form.return_url.data or None,
        lifetime=timedelta(days=int(form.lifetime.data)),
    )
