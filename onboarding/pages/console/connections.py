"""List the connections, show one, verify, reconnect and disconnect it."""

from dataclasses import replace
from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import attempt_texts, audit_texts, bulk_texts, texts, webhook_texts
from onboarding.errors import SlackBusy, SlackDown, VaultProblem
from onboarding.http.console_environment import environment, environment_id, integrations
from onboarding.http.operator_guard import require_person
from onboarding.http.route_access import allow_viewers
from onboarding.pages.list_query import drop_empty_filters, page_url, set_filters
from onboarding.runtime import current
from onboarding.services.connections.records import ConsoleSearch
from onboarding.services.links.records import RECONNECT_LIFETIME, NewLink

blueprint = Blueprint("connections", __name__)
blueprint.before_request(drop_empty_filters)


@blueprint.get("/connections")
@allow_viewers
def index() -> ResponseReturnValue:
    search = ConsoleSearch.from_query(request.args)
    page = current().connections.page(environment_id(), search, request.args.get("after"), request.args.get("before"))
    return render_template(
        "console/connections/list.html",
        page=page,
        rows=page.rows,
        filters=search,
        attempt=current().attempts.find_typed(search.q, environment_id()),
        is_filtered=search.is_filtered,
        integrations=integrations(),
        next_url=page_url("connections.index", search, after=page.next),
        previous_url=page_url("connections.index", search, before=page.previous),
        sort_url=partial(_sort_url, search),
        chosen=set_filters(search),
        bulk_refusal=bulk_texts.BULK_REFUSALS.get(request.args.get("bulk", "")),
    )


@blueprint.get("/connections/<identifier>")
@allow_viewers
def show(identifier: str) -> ResponseReturnValue:
    found = current().connections.detail(environment_id(), identifier)
    name = found.connection.integration_identifier
    receives_events = any(one.has_signing_secret for one in integrations() if one.identifier == name)
    return render_template(
        "console/connections/show.html",
        connection=found.connection,
        detail=found,
        receives_events=receives_events,
        checked=request.args.get("checked"),
        attempts=current().attempt_lists.of_connection(environment_id(), identifier),
        history=current().connection_history.of(environment_id(), identifier),
        deliveries=current().webhooks.deliveries.newest_about(environment_id(), identifier),
        delivery_states=webhook_texts.DELIVERY_STATES,
        endpoint_names={one.id: one.name for one in current().webhooks.endpoints.list(environment_id())},
        steps=attempt_texts.ATTEMPT_STEPS,
        actions=audit_texts.AUDIT_ACTIONS,
    )


@blueprint.post("/connections/<identifier>/verify")
def verify_submit(identifier: str) -> ResponseReturnValue:
    """Ask Slack now, as the API's `verify` does."""
    try:
        current().connections.verify(environment_id(), identifier)
        checked = "now"
    except (SlackBusy, SlackDown):
        checked = "unanswered"
    except VaultProblem:
        checked = "unreadable"
    return redirect(url_for("connections.show", identifier=identifier, checked=checked), 303)


@blueprint.post("/connections/<identifier>/reconnect")
def reconnect_submit(identifier: str) -> ResponseReturnValue:
    """Create a link with the connection's values and redirect to it, so that nothing has to be typed again."""
    person = require_person()
    link = replace(_reconnect_link(identifier), lifetime=RECONNECT_LIFETIME, operator=person.label)
    return redirect(current().links.create(link, person.actor).url, 303)


@blueprint.post("/connections/<identifier>/reconnect-link")
def reconnect_link_submit(identifier: str) -> ResponseReturnValue:
    """Create a link with the connection's values for the customer, and show it."""
    link = current().links.create(_reconnect_link(identifier), require_person().actor)
    return redirect(url_for("links.show", link_id=link.id, connection=identifier), 303)


@blueprint.get("/connections/<identifier>/disconnect")
def disconnect(identifier: str) -> ResponseReturnValue:
    found = current().connections.detail(environment_id(), identifier)
    return render_template(
        "console/connections/disconnect.html",
        connection=found.connection,
        others=found.others,
        app_name=_app_name(found.connection.integration_identifier),
    )


@blueprint.post("/connections/<identifier>/disconnect")
def disconnect_submit(identifier: str) -> ResponseReturnValue:
    current().connections.disconnect(environment_id(), identifier, require_person().actor)
    return redirect(url_for("connections.disconnected", identifier=identifier), 303)


@blueprint.get("/connections/<identifier>/disconnected")
@allow_viewers
def disconnected(identifier: str) -> ResponseReturnValue:
    last = current().connections.last_disconnect(environment_id(), identifier)
    return render_template(
        "console/connections/disconnected.html",
        text=texts.DISCONNECTED[last.result],
        workspace_name=last.workspace_name,
        at=last.at,
    )


def _reconnect_link(identifier: str) -> NewLink:
    """Return a link with the connection's values. Raises NotFound."""
    found = current().connections.detail(environment_id(), identifier).connection
    return NewLink.to_reconnect(found, environment().name)


def _app_name(identifier: str) -> str:
    """Return the name that customers read, otherwise the integration's identifier."""
    return next((one.name for one in integrations() if one.identifier == identifier), identifier)


def _sort_url(search: ConsoleSearch, column: str) -> str:
    """Return the address of the list sorted by a column; in descending order if it is sorted by it already."""
    sort = f"-{column}" if search.sort == column else column
    return url_for("connections.index", **set_filters(replace(search, sort=sort)))
