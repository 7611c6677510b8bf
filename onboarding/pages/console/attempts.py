"""List installs, show one by the reference on its page, and diagnose one from what its customer sends."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import attempt_texts, texts
from onboarding.http.console_environment import environment_id, integrations
from onboarding.http.route_access import allow_viewers
from onboarding.pages.list_query import drop_empty_filters, page_url, read_search
from onboarding.runtime import current
from onboarding.services.installs.attempt_list import FUNNEL_CAP, LISTED_OUTCOMES, AttemptSearch
from onboarding.services.installs.diagnosis import Finding

blueprint = Blueprint("attempts", __name__)
blueprint.before_request(drop_empty_filters)


@blueprint.get("/attempts")
@allow_viewers
def index() -> ResponseReturnValue:
    search = read_search(AttemptSearch)
    page = current().attempt_lists.page(environment_id(), search, request.args.get("after"), request.args.get("before"))
    return render_template(
        "console/attempts/list.html",
        page=page,
        filters=search,
        outcomes_listed=LISTED_OUTCOMES,
        steps=attempt_texts.ATTEMPT_STEPS,
        groups=attempt_texts.ATTEMPT_GROUPS,
        periods=attempt_texts.ATTEMPT_PERIODS,
        integrations=integrations(),
        funnel_cap=FUNNEL_CAP,
        next_url=page_url("attempts.index", search, after=page.next),
        previous_url=page_url("attempts.index", search, before=page.previous),
    )


@blueprint.get("/attempts/<reference>")
@allow_viewers
def show(reference: str) -> ResponseReturnValue:
    return render_template(
        "console/attempts/show.html",
        attempt=current().attempts.find(reference, environment_id()),
        unused_grants=texts.UNUSED_GRANTS,
    )


@blueprint.get("/diagnose")
@allow_viewers
def diagnose() -> ResponseReturnValue:
    return render_template("console/attempts/diagnose.html", diagnosis=None)


@blueprint.post("/diagnose")
@allow_viewers
def diagnose_submit() -> ResponseReturnValue:
    """Diagnose an install from what its customer sent, which the form posts in its body.

    The text may contain Slack's code and a state, which must not get into a log or a browser's history.
    """
    found = current().diagnoser.diagnose(environment_id(), request.form.get("text", ""))
    if found.finding is Finding.FOUND and found.attempt is not None and found.slack_error is None:
        return redirect(url_for("attempts.show", reference=found.attempt.reference), 303)
    text = attempt_texts.DIAGNOSES[found.finding]
    return render_template("console/attempts/diagnose.html", diagnosis=found, text=text)
