"""The operators' start page."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import NotFound
from onboarding.http.operator_guard import environment_id, require_person
from onboarding.http.security_headers import leads_to_slack
from onboarding.pages.customer.connect import send
from onboarding.pages.layout import Product
from onboarding.runtime import current

blueprint = Blueprint("installs", __name__)


@blueprint.get("/slack/install")
def start() -> ResponseReturnValue:
    leads_to_slack()
    known = current().integrations.all_of(environment_id())
    if not known:
        return render_template("customer/home/first_run.html", try_action=None, sign_in_hint=False)
    selected = _selected()
    view = current().installs.view_operator(environment_id(), selected)
    return render_template(
        "customer/connect/start.html",
        start=view,
        product=Product(view.app_name),
        action=url_for("installs.start_submit"),
        approval_action=url_for("installs.approval_submit", integration=selected),
        integrations=known,
        selected=selected,
    )


@blueprint.post("/slack/install")
def start_submit() -> ResponseReturnValue:
    return send(current().installs.start_operator(environment_id(), _selected(), require_person().email))


@blueprint.post("/slack/install/approval")
def approval_submit() -> ResponseReturnValue:
    sent = current().installs.ask_approval(None, require_person().email, environment_id(), _selected())
    return send(sent, url_for("results.show", attempt_id=sent.attempt_id))


def _selected() -> str:
    asked = request.form.get("integration") or request.args.get("integration")
    known = current().integrations.all_of(environment_id())
    if asked is None and known:
        return known[0].identifier
    if asked is None:
        raise NotFound("There is no integration yet. `flask --app app integration add` stores one.")
    return asked
