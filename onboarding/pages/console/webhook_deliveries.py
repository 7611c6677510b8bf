"""One webhook delivery: its message, each try with its answer, and its replay."""

from contextlib import suppress

import orjson
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding import webhook_texts
from onboarding.errors import Conflict, NotFound
from onboarding.event_types import EVENT_WORDS
from onboarding.http.console_environment import environment_id
from onboarding.http.operator_guard import require_person
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current
from onboarding.webhook_documents import WebhookDelivery

blueprint = Blueprint("webhook_deliveries", __name__)


@blueprint.get("/webhook-deliveries/<delivery_id>")
@allow_viewers
def show(delivery_id: str) -> ResponseReturnValue:
    webhooks = current().webhooks
    found = webhooks.deliveries.find(environment_id(), delivery_id)
    return render_template(
        "console/webhook_deliveries/show.html",
        delivery=found,
        tries=webhooks.deliveries.tries(environment_id(), delivery_id),
        endpoint=webhooks.endpoints.find(environment_id(), found.endpoint_id),
        body=orjson.dumps(orjson.loads(found.body), option=orjson.OPT_INDENT_2).decode(),
        subject_url=_subject_url(found),
        states=webhook_texts.DELIVERY_STATES,
        event_words=EVENT_WORDS,
    )


@blueprint.post("/webhook-deliveries/<delivery_id>/replay")
def replay_submit(delivery_id: str) -> ResponseReturnValue:
    """Send the message again. If the endpoint was paused in the meantime, nothing is sent, and the page says so."""
    with suppress(Conflict):
        current().webhooks.deliveries.replay(environment_id(), delivery_id, require_person().actor)
    return redirect(url_for("webhook_deliveries.show", delivery_id=delivery_id), 303)


def _subject_url(delivery: WebhookDelivery) -> str | None:
    """Return the address of the connection or install that the event is about; None if it was deleted."""
    with suppress(NotFound):
        if delivery.event.startswith("connection."):
            current().connections.detail(environment_id(), delivery.subject)
            return url_for("connections.show", identifier=delivery.subject)
        if delivery.event.startswith("attempt."):
            current().attempts.find(delivery.subject, environment_id())
            return url_for("attempts.show", reference=delivery.subject)
    return None
