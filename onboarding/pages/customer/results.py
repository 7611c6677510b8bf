"""The page of a finished attempt, for every outcome, and the ways on from it."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import LinkProblem, NotFound
from onboarding.http.operator_guard import current_editor, signed_in_person
from onboarding.http.route_access import public
from onboarding.http.security_headers import leads_to_slack
from onboarding.outcomes import OUTCOMES, GrantResult, Outcome
from onboarding.pages.customer import attempt_cookies, connect
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.installs.records import reference
from onboarding.services.installs.result import Result

blueprint = Blueprint("results", __name__)


@dataclass(frozen=True)
class Approval:
    url: str
    message: str
    expires_at: datetime
    status_url: str


@blueprint.get("/slack/result/<attempt_id>")
@public
def show(attempt_id: str) -> ResponseReturnValue:
    try:
        result = current().installs.result(attempt_id, attempt_cookies.binding(attempt_id))
    except NotFound:
        return neutral(Outcome.OTHER_BROWSER, None)
    if result.outcome is None:
        return render_template("customer/callback/finishing.html", refresh_seconds=2, refresh_url="")
    outcome = result.outcome
    if request.args.get("again") and outcome.is_success:
        outcome = Outcome.REPLAY_OK
    return _page(replace(result, outcome=outcome), outcome)


@blueprint.get("/slack/result/<attempt_id>/status")
@public
def status(attempt_id: str) -> ResponseReturnValue:
    return {"connected": current().installs.is_connected(attempt_id, attempt_cookies.binding(attempt_id))}


@blueprint.post("/slack/result/<attempt_id>/replace")
@public
def replace_submit(attempt_id: str) -> ResponseReturnValue:
    finished = current().installs.replace_workspace(attempt_id, attempt_cookies.binding(attempt_id))
    return redirect(url_for("results.show", attempt_id=finished.attempt_id), 303)


@blueprint.post("/slack/result/<attempt_id>/choose-again")
@public
def choose_again_submit(attempt_id: str) -> ResponseReturnValue:
    """The unwanted grant is given back, and Slack's chooser opens with the expected workspace preset."""
    declined = current().installs.decline(attempt_id, attempt_cookies.binding(attempt_id))
    installs, expected = current().installs, declined.expected_workspace_id
    if declined.link_id:
        bindings = attempt_cookies.bindings()
        return connect.send(installs.start_link(declined.link_id, team=expected, bindings=bindings))
    person = current_editor()
    if person is None:
        return redirect(url_for("installs.start"), 303)
    return connect.send(
        installs.start_operator(declined.environment_id, declined.integration_identifier, person.email, expected)
    )


@blueprint.errorhandler(LinkProblem)
def link_problem(problem: LinkProblem) -> ResponseReturnValue:
    return connect.link_problem(problem)


@blueprint.get("/slack/not-stored/<attempt_id>")
@public
def unstored(attempt_id: str) -> ResponseReturnValue:
    """What came out could not be stored: told at an address without the code in it, and without the database."""
    if attempt_cookies.binding(attempt_id) is None:
        return neutral(Outcome.OTHER_BROWSER, None)
    grant_result = request.args.get("grant", type=GrantResult)
    return storage_gone(reference(attempt_id), grant_result)


def neutral(outcome: Outcome, attempt_id: str | None) -> ResponseReturnValue:
    """A page that shows neither workspace nor account: for another browser, or an attempt that nobody knows."""
    if attempt_id is None:
        return _page(Result(outcome), outcome)
    return _page(current().installs.result_elsewhere(attempt_id, outcome), outcome)


def storage_gone(reference: str = "", grant_result: GrantResult | None = None) -> ResponseReturnValue:
    """P13, made without asking the database anything."""
    row = OUTCOMES[Outcome.STORAGE_ERROR]
    result = Result(row.outcome, reference=reference, grant_result=grant_result)
    ways: dict[str, None] = dict.fromkeys(("approval", "try_again", "ask_admin", "replace", "choose_again", "decline"))
    return render_template(f"customer/results/{row.page}.html", result=result, **ways), row.status


def _page(result: Result, outcome: Outcome) -> ResponseReturnValue:
    leads_to_slack()
    row, person = OUTCOMES[outcome], signed_in_person()
    waiting = outcome == Outcome.WRONG_WORKSPACE
    page = render_template(
        f"customer/results/{row.page}.html",
        result=result if person else replace(result, operator_detail=None),
        product=Product(result.app_name),
        approval=_approval(result),
        try_again=_again(result),
        ask_admin=_ask_admin(result) if result.finished_here else None,
        replace=url_for("results.replace_submit", attempt_id=result.attempt_id) if waiting else None,
        choose_again=url_for("results.choose_again_submit", attempt_id=result.attempt_id) if waiting else None,
        decline=url_for("setup.cancel_submit", attempt_id=result.attempt_id) if waiting else None,
    )
    return page, row.status


def _again(result: Result) -> str | None:
    if result.link_id:
        return url_for("connect.start_submit", token=current().links.token(result.link_id))
    if result.is_operators and current_editor():
        return url_for("installs.start_submit", integration=result.integration_identifier)
    return None


def _ask_admin(result: Result) -> str | None:
    """None for who renews with a link that was used: what is handed on of it could not be used."""
    if result.link_id and not result.link_is_used:
        return url_for("connect.approval_submit", token=current().links.token(result.link_id))
    if result.is_operators and current_editor():
        return url_for("installs.approval_submit", integration=result.integration_identifier)
    return None


def _approval(result: Result) -> Approval | None:
    if not result.approval_link_id or not result.approval_expires_at:
        return None
    url = current().links.url(result.approval_link_id)
    message = f"Please connect our Slack workspace to {result.app_name}: {url} The page says what it may do before you allow it."
    address = url_for("results.status", attempt_id=result.attempt_id)
    return Approval(url, message, result.approval_expires_at, address)
