"""Show an install by the reference on its page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from onboarding import texts
from onboarding.http.operator_guard import environment_id
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current

blueprint = Blueprint("attempts", __name__)


@blueprint.get("/attempts/<reference>")
@allow_viewers
def show(reference: str) -> ResponseReturnValue:
    return render_template(
        "console/attempts/show.html",
        attempt=current().attempts.find(reference, environment_id()),
        unused_grants=texts.UNUSED_GRANTS,
    )
