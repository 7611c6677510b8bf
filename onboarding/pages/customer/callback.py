"""Slack sends people back here."""

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import StorageProblem
from onboarding.http.route_access import public
from onboarding.outcomes import Outcome
from onboarding.pages.customer import attempt_cookies, results
from onboarding.runtime import current
from onboarding.services.installs.records import Finished, NextStep

blueprint = Blueprint("callback", __name__)
_LOG = structlog.get_logger(__name__)


@blueprint.get("/slack/oauth_redirect")
@public
def oauth_redirect() -> ResponseReturnValue:
    try:
        finished = current().installs.handle_callback(request.args.to_dict(), attempt_cookies.bindings())
    except StorageProblem as problem:
        # Nothing was consumed: the same callback succeeds once the database answers.
        _LOG.error("install.database_gone", problem=problem.sentence)
        return results.storage_gone()
    return lead_on(finished)


def lead_on(finished: Finished) -> ResponseReturnValue:
    """From an address with a code in it to a clean one, or straight to a page that belongs to no attempt of this browser."""
    if finished.step == NextStep.WAITING:
        return waiting()
    if finished.step == NextStep.SETUP:
        return redirect(url_for("setup.form", attempt_id=finished.attempt_id), 303)
    if finished.step == NextStep.UNSTORED:
        return redirect(url_for("results.unstored", attempt_id=finished.attempt_id, grant=finished.grant_result), 303)
    if finished.attempt_id is None or finished.outcome == Outcome.OTHER_BROWSER:
        return results.neutral(finished.outcome or Outcome.STATE_UNKNOWN, finished.attempt_id)
    again = 1 if finished.outcome == Outcome.REPLAY_OK else None
    return redirect(url_for("results.show", attempt_id=finished.attempt_id, again=again), 303)


def waiting() -> ResponseReturnValue:
    """P5. It asks for its own address again, so that nothing of that address stands in the page."""
    return render_template("customer/callback/finishing.html", refresh_seconds=2, refresh_url="")
