"""A link's start page, and the click on it."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import LinkProblem
from onboarding.http.route_access import public
from onboarding.http.security_headers import leads_to_slack
from onboarding.outcomes import OUTCOMES, Outcome
from onboarding.pages.customer import attempt_cookies
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.installs.records import StartedAttempt
from onboarding.services.installs.result import Result

blueprint = Blueprint("connect", __name__)


@blueprint.get("/connect/<token>")
@public
def start(token: str) -> ResponseReturnValue:
    leads_to_slack()
    view = current().installs.view_link(current().links.read(token))
    page = "already_connected" if view.existing else "start"
    return render_template(
        f"customer/connect/{page}.html",
        start=view,
        connection=view.existing,
        product=Product(view.app_name),
        action=url_for("connect.start_submit", token=token),
        approval_action=url_for("connect.approval_submit", token=token),
        return_url=view.return_url,
        integrations=(),
        selected=None,
    )


@blueprint.post("/connect/<token>")
@public
def start_submit(token: str) -> ResponseReturnValue:
    intent = request.form.get("intent")
    known = intent if intent in ("reconnect", "other_workspace") else None
    link_id, bindings = current().links.read(token), attempt_cookies.bindings()
    return send(current().installs.start_link(link_id, known, bindings=bindings))


@blueprint.post("/connect/<token>/approval")
@public
def approval_submit(token: str) -> ResponseReturnValue:
    sent = current().installs.ask_approval(current().links.read(token), None, "", "")
    return send(sent, url_for("results.show", attempt_id=sent.attempt_id))


@blueprint.errorhandler(LinkProblem)
def link_problem(problem: LinkProblem) -> ResponseReturnValue:
    """A used link shows its success in the browser that used it, and only that it was used anywhere else."""
    used = problem.attempt_id
    if used and current().installs.was_used_here(used, attempt_cookies.binding(used)):
        return redirect(url_for("results.show", attempt_id=used, again=1), 303)
    outcome = OUTCOMES[Outcome(problem.code)]
    page = render_template(
        f"customer/results/{outcome.page}.html",
        result=Result(outcome.outcome),
        product=Product(problem.app_name) if problem.app_name else Product(),
        try_again=None,
        ask_admin=None,
        replace=None,
        choose_again=None,
    )
    return page, outcome.status


def send(sent: StartedAttempt, address: str | None = None) -> Response:
    """Off to Slack (or to `address`), with the attempt's cookie."""
    response = make_response(redirect(address or sent.authorize_url, 303))
    attempt_cookies.keep(response, sent.attempt_id, sent.binding)
    return response
