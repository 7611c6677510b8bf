"""Send a test message to a channel of a connected workspace."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from wtforms import StringField

from onboarding.errors import Refused, VaultProblem
from onboarding.http.console_environment import environment_id, integrations
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm
from onboarding.runtime import current
from onboarding.services.connections.message import MessageResult

blueprint = Blueprint("messages", __name__)


class MessageForm(PageForm):
    channel = StringField("Channel")


@blueprint.get("/connections/<identifier>/test-message")
def new(identifier: str) -> ResponseReturnValue:
    return _page(identifier, MessageForm())


@blueprint.post("/connections/<identifier>/test-message")
def new_submit(identifier: str) -> ResponseReturnValue:
    """Show the result on the page of the form, so that the channel has to be typed once."""
    form = MessageForm()
    if not form.validate_on_submit():
        return _page(identifier, form), 422
    try:
        return _page(identifier, form, _send(identifier, form.channel.data or ""))
    except (Refused, VaultProblem) as problem:
        form.channel.errors = [*form.channel.errors, problem.sentence]
        return _page(identifier, form), 422


def _send(identifier: str, channel: str) -> MessageResult:
    found = current().connections.detail(environment_id(), identifier).connection
    names = (one.name for one in integrations() if one.identifier == found.integration_identifier)
    return current().connections.send_test(
        environment_id(), identifier, channel, next(names, ""), require_person().actor
    )


def _page(identifier: str, form: MessageForm, result: MessageResult | None = None) -> str:
    found = current().connections.detail(environment_id(), identifier).connection
    return render_template("console/messages/new.html", connection=found, form=form, result=result)
