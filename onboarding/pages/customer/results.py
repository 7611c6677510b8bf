"""Show how an attempt ended, and take the decisions that are left."""

from dataclasses import replace

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import ids
from onboarding.errors import LinkProblem, NotFound
from onboarding.http import security_headers
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.operator_guard import current_editor
from onboarding.http.route_access import public
from onboarding.outcomes import GrantResult, Outcome
from onboarding.pages.customer import answers, attempt_cookies
from onboarding.runtime import current
from onboarding.services.installs.records import InstallStep
from onboarding.services.installs.result_record import Result

blueprint = Blueprint("results", __name__)
blueprint.register_error_handler(LinkProblem, answers.link_problem_page)
security_headers.set_policy(blueprint, security_headers.INSTALL_PAGE)


@blueprint.get("/slack/result/<attempt_id>")
@public
def show(attempt_id: str) -> ResponseReturnValue:
    try:
        result = _result(attempt_id)
        if result.outcome is Outcome.WRONG_WORKSPACE:
            current().installs.check_waiting(attempt_id, attempt_cookies.binding(attempt_id))
            result = _result(attempt_id)
    except NotFound:
        return answers.neutral_page(Outcome.OTHER_BROWSER)
    if request.args.get("again") and result.outcome is not None and result.outcome.is_success:
        result = replace(result, outcome=Outcome.REPLAY_OK)
    return answers.result_page(result)


@blueprint.get("/slack/result/<attempt_id>/status")
@public
def status(attempt_id: str) -> ResponseReturnValue:
    """Answer the script of a page that waits for an admin's approval."""
    return {"connected": current().installs.is_connected(attempt_id, attempt_cookies.binding)}


@blueprint.post("/slack/result/<attempt_id>/replace")
@public
def replace_submit(attempt_id: str) -> ResponseReturnValue:
    """Replace the connection's workspace by the one that Slack answered with."""
    if _result(attempt_id).is_unopened:
        return redirect(url_for("results.show", attempt_id=attempt_id), 303)
    step = current().installs.replace_workspace(attempt_id, attempt_cookies.binding(attempt_id))
    return redirect(url_for("results.show", attempt_id=step.attempt_id), 303)


@blueprint.post("/slack/result/<attempt_id>/choose-again")
@public
def choose_again_submit(attempt_id: str) -> ResponseReturnValue:
    """Revoke the unwanted grant and open Slack's consent page with the expected workspace preset."""
    is_unopened = _result(attempt_id).is_unopened
    declined = current().installs.decline(attempt_id, attempt_cookies.binding(attempt_id))
    if is_unopened or isinstance(declined, InstallStep):
        return redirect(url_for("results.show", attempt_id=attempt_id), 303)
    installs, expected = current().installs, declined.expected_workspace_id
    if declined.link_id:
        started = installs.start_link(declined.link_id, team=expected, binding_of=attempt_cookies.binding)
        return answers.redirect_to_slack(started)
    person = current_editor()
    # The operator's session has ended, so this leads to the sign-in page.
    if person is None:
        return redirect(url_for("installs.start"), 303)
    return answers.redirect_to_slack(
        installs.start_operator(declined.environment_id, declined.integration_identifier, person.label, expected)
    )


@blueprint.get("/slack/start-here/<token>")
@public
def elsewhere(token: str) -> ResponseReturnValue:
    """Show that another browser started this install, and offer to start it here."""
    try:
        return answers.result_page(current().installs.view_elsewhere(token))
    except NotFound:
        return answers.neutral_page(Outcome.OTHER_BROWSER)


@blueprint.post("/slack/start-here/<token>")
@public
@reload_on_csrf_failure("results.elsewhere")
def elsewhere_submit(token: str) -> ResponseReturnValue:
    try:
        return answers.redirect_to_slack(current().installs.start_elsewhere(token))
    except NotFound:
        return redirect(url_for("results.elsewhere", token=token), 303)


@blueprint.get("/slack/ended/<outcome>")
@public
def ended(outcome: str) -> ResponseReturnValue:
    """Show an outcome that belongs to no attempt, at an address without Slack's code."""
    if outcome == Outcome.STORAGE_ERROR:
        return answers.storage_problem_page()
    if outcome not in (Outcome.NO_STATE, Outcome.STATE_UNKNOWN):
        abort(404)
    return answers.neutral_page(Outcome(outcome))


@blueprint.get("/slack/not-stored/<attempt_id>")
@public
def unstored(attempt_id: str) -> ResponseReturnValue:
    """Show that an install could not be stored, at an address without Slack's code. Does not ask the database."""
    if attempt_cookies.binding(attempt_id) is None:
        return answers.neutral_page(Outcome.OTHER_BROWSER)
    return answers.storage_problem_page(ids.attempt_reference(attempt_id), request.args.get("grant", type=GrantResult))


def _result(attempt_id: str) -> Result:
    """Return the result of an attempt of this browser. Raises NotFound for any other."""
    return current().installs.result(attempt_id, attempt_cookies.binding, attempt_cookies.opened_links())
