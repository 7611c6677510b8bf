"""`POST /slack/events`: the one address for the events of all Slack apps."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from onboarding.errors import SignatureRefused, StorageProblem
from onboarding.http.route_access import public
from onboarding.http.security_headers import SIGNED_REQUEST, set_policy
from onboarding.runtime import current
from onboarding.services.slack_events.records import SignedRequest

blueprint = Blueprint("slack_events", __name__)
set_policy(blueprint, SIGNED_REQUEST)
#: The same request would be refused again: https://docs.slack.dev/apis/events-api/#retries
_NO_RETRY = {"X-Slack-No-Retry": "1"}
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.post("/slack/events")
@public
def receive() -> ResponseReturnValue:
    """Check the signature over the received body. The worker handles the event: Slack waits three seconds only."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    signed = SignedRequest(request.get_data(parse_form_data=False), timestamp, signature)
    return current().slack_events.receive(signed) or "", 200, _TEXT


@blueprint.errorhandler(SignatureRefused)
def refused(problem: SignatureRefused) -> ResponseReturnValue:
    """Answer with status 401, after which Slack sends the event again: the signing secret may be corrected by then."""
    return f"{problem.sentence}\n", 401, {**_TEXT, "WWW-Authenticate": "Slack"}


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_problem: RequestEntityTooLarge) -> ResponseReturnValue:
    return "A request can have 1 MB at most.\n", 413, {**_TEXT, **_NO_RETRY}


@blueprint.errorhandler(StorageProblem)
def unavailable(_problem: StorageProblem) -> ResponseReturnValue:
    """Answer with status 503, after which Slack sends the event again."""
    return "The database did not answer.\n", 503, _TEXT
