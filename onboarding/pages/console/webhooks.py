"""Webhook endpoints: list, add, change, test, pause and delete them. A secret is shown once."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectMultipleField, StringField, ValidationError

from onboarding import webhook_texts
from onboarding.errors import Conflict, Refused
from onboarding.event_types import EVENT_WORDS, TEST_EVENT
from onboarding.http.console_environment import environment_id
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm, trimmed
from onboarding.http.route_access import allow_viewers
from onboarding.pages.list_query import drop_empty_filters, page_url, read_search
from onboarding.pagination import PageRequest
from onboarding.runtime import current
from onboarding.services.webhooks.endpoints import MAX_ENDPOINTS
from onboarding.services.webhooks.records import DeliverySearch, EndpointChange, NewWebhookEndpoint
from onboarding.webhook_documents import WebhookEndpoint

blueprint = Blueprint("webhooks", __name__)
blueprint.before_request(drop_empty_filters)
_ROWS = 25
_SCOPES = {"all": "All events", "chosen": "Chosen events"}


class EndpointForm(PageForm):
    url = StringField("Address", filters=[trimmed])
    scope = RadioField("Events", choices=_SCOPES, default="all")
    events = SelectMultipleField("Chosen events", choices={str(one): str(one) for one in EVENT_WORDS})
    description = StringField("Description", filters=[trimmed])

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the chosen events. An empty tuple means all events."""
        return tuple(self.events.data or ()) if self.scope.data == "chosen" else ()

    def validate_events(self, field: SelectMultipleField) -> None:
        """Require at least one event, unless the endpoint gets all. WTForms calls this. Raises ValidationError."""
        if self.scope.data == "chosen" and not field.data:
            raise ValidationError("Choose at least one event, or all events.")

    def show(self, problem: Refused | Conflict) -> None:
        """Show why the service refused, beside its field. The service's sentence begins with the field's name."""
        name = problem.field if isinstance(problem, Refused) and problem.field in self else "url"
        sentence = problem.sentence.removeprefix(f"{name} ").rstrip(".")
        self[name].errors = [*self[name].errors, f"{sentence[:1].upper()}{sentence[1:]}."]


@blueprint.get("/webhooks")
@allow_viewers
def index() -> ResponseReturnValue:
    webhooks = current().webhooks
    return render_template(
        "console/webhooks/list.html",
        rows=webhooks.endpoints.list(environment_id()),
        newest=webhooks.deliveries.newest_of_each(environment_id()),
        limit=MAX_ENDPOINTS,
        states=webhook_texts.ENDPOINT_STATES,
        delivery_states=webhook_texts.DELIVERY_STATES,
        pauses=webhook_texts.PAUSES,
    )


@blueprint.get("/webhooks/new")
def new() -> ResponseReturnValue:
    return _new_page(EndpointForm(formdata=None))


@blueprint.post("/webhooks/new")
def new_submit() -> ResponseReturnValue:
    """Show the secret in this answer: no other page shows it."""
    form = EndpointForm()
    if not form.validate_on_submit():
        return _new_page(form), 422
    wanted = NewWebhookEndpoint(form.url.data or "", form.chosen, form.description.data or "")
    try:
        created = current().webhooks.endpoints.create(environment_id(), wanted, require_person().actor)
    except (Refused, Conflict) as problem:
        form.show(problem)
        return _new_page(form), 422
    return render_template("console/webhooks/secret.html", endpoint=created, is_new=True)


@blueprint.get("/webhooks/<endpoint_id>")
@allow_viewers
def show(endpoint_id: str) -> ResponseReturnValue:
    endpoint, deliveries = _find(endpoint_id), current().webhooks.deliveries
    search = read_search(DeliverySearch)
    wanted = PageRequest(_ROWS, request.args.get("after"), request.args.get("before"))
    found = deliveries.list(environment_id(), wanted, search.query_of(endpoint_id))
    return render_template(
        "console/webhooks/show.html",
        endpoint=endpoint,
        page=found,
        filters=search,
        parked=deliveries.count_parked(environment_id(), endpoint_id),
        replayed=request.args.get("replayed", type=int),
        next_url=page_url("webhooks.show", search, after=found.next, endpoint_id=endpoint_id),
        previous_url=page_url("webhooks.show", search, before=found.previous, endpoint_id=endpoint_id),
        **_words(),
    )


@blueprint.get("/webhooks/<endpoint_id>/edit")
def edit(endpoint_id: str) -> ResponseReturnValue:
    found = _find(endpoint_id)
    scope = "chosen" if found.events else "all"
    form = EndpointForm(
        formdata=None, url=found.url, scope=scope, events=list(found.events), description=found.description
    )
    return _edit_page(found, form)


@blueprint.post("/webhooks/<endpoint_id>/edit")
def edit_submit(endpoint_id: str) -> ResponseReturnValue:
    found, form = _find(endpoint_id), EndpointForm()
    if not form.validate_on_submit():
        return _edit_page(found, form), 422
    change = EndpointChange(form.url.data or "", form.chosen, form.description.data or "")
    try:
        current().webhooks.endpoints.change(environment_id(), endpoint_id, change, require_person().actor)
    except Refused as refusal:
        form.show(refusal)
        return _edit_page(found, form), 422
    return _back_to(endpoint_id)


@blueprint.get("/webhooks/<endpoint_id>/secret")
def secret(endpoint_id: str) -> ResponseReturnValue:
    return render_template("console/webhooks/rotate.html", endpoint=_find(endpoint_id))


@blueprint.post("/webhooks/<endpoint_id>/secret")
def secret_submit(endpoint_id: str) -> ResponseReturnValue:
    """Show the new secret in this answer: no other page shows it."""
    changed = current().webhooks.endpoints.rotate_secret(environment_id(), endpoint_id, require_person().actor)
    return render_template("console/webhooks/secret.html", endpoint=changed, is_new=False)


@blueprint.post("/webhooks/<endpoint_id>/test")
def test_submit(endpoint_id: str) -> ResponseReturnValue:
    """Send a test event and show its delivery. An endpoint that was paused in the meantime shows that instead."""
    try:
        delivery_id = current().webhooks.endpoints.test(environment_id(), endpoint_id)
    except Conflict:
        return _back_to(endpoint_id)
    return redirect(url_for("webhook_deliveries.show", delivery_id=delivery_id), 303)


@blueprint.post("/webhooks/<endpoint_id>/pause")
def pause_submit(endpoint_id: str) -> ResponseReturnValue:
    return _enable(endpoint_id, is_enabled=False)


@blueprint.post("/webhooks/<endpoint_id>/resume")
def resume_submit(endpoint_id: str) -> ResponseReturnValue:
    return _enable(endpoint_id, is_enabled=True)


@blueprint.post("/webhooks/<endpoint_id>/replay")
def replay_submit(endpoint_id: str) -> ResponseReturnValue:
    """Send all messages again that were not delivered, unless the endpoint was paused in the meantime."""
    try:
        count = current().webhooks.deliveries.replay_parked(environment_id(), endpoint_id, require_person().actor)
    except Conflict:
        return _back_to(endpoint_id)
    return _back_to(endpoint_id, replayed=count)


@blueprint.get("/webhooks/<endpoint_id>/delete")
def delete(endpoint_id: str) -> ResponseReturnValue:
    return render_template("console/webhooks/delete.html", endpoint=_find(endpoint_id))


@blueprint.post("/webhooks/<endpoint_id>/delete")
def delete_submit(endpoint_id: str) -> ResponseReturnValue:
    current().webhooks.endpoints.remove(environment_id(), endpoint_id, require_person().actor)
    return redirect(url_for("webhooks.index"), 303)


def _find(endpoint_id: str) -> WebhookEndpoint:
    """Return the webhook endpoint of this id. Raises NotFound."""
    return current().webhooks.endpoints.find(environment_id(), endpoint_id)


def _enable(endpoint_id: str, *, is_enabled: bool) -> ResponseReturnValue:
    change = EndpointChange(is_enabled=is_enabled)
    current().webhooks.endpoints.change(environment_id(), endpoint_id, change, require_person().actor)
    return _back_to(endpoint_id)


def _back_to(endpoint_id: str, **values: Any) -> ResponseReturnValue:
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id, **values), 303)


def _new_page(form: EndpointForm) -> str:
    return render_template("console/webhooks/new.html", form=form, event_words=EVENT_WORDS)


def _edit_page(endpoint: WebhookEndpoint, form: EndpointForm) -> str:
    return render_template("console/webhooks/edit.html", endpoint=endpoint, form=form, event_words=EVENT_WORDS)


def _words() -> dict[str, Any]:
    return {
        "states": webhook_texts.ENDPOINT_STATES,
        "delivery_states": webhook_texts.DELIVERY_STATES,
        "pauses": webhook_texts.PAUSES,
        "events_listed": (*EVENT_WORDS, TEST_EVENT),
    }
