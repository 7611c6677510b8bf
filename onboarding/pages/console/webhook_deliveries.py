"""One webhook delivery: its message, each try with its answer, and its replay."""

from contextlib import suppress

import orjson
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding import texts
from onboarding.errors import Conflict
from onboarding.event_types import EVENT_WORDS
from onboarding.http.operator_guard import environment_id, require_person
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current

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
        states=texts.DELIVERY_STATES,
        event_words=EVENT_WORDS,
    )


@blueprint.post("/webhook-deliveries/<delivery_id>/replay")
def replay_submit(delivery_id: str) -> ResponseReturnValue:
    """Send the message again. The page shows it if the endpoint was paused in the meantime."""
    with suppress(Conflict):
        current().webhooks.deliveries.replay(environment_id(), delivery_id, require_person().actor)
    return redirect(url_for("webhook_deliveries.show", delivery_id=delivery_id), 303)
