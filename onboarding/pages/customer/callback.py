"""Receive the browser that Slack sends back after its consent page."""

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from onboarding.errors import StorageProblem
from onboarding.http.route_access import public
from onboarding.http.security_headers import HeaderPolicy, set_policy
from onboarding.http.text_input import allow_any_text
from onboarding.outcomes import Outcome
from onboarding.pages.customer import answers, attempt_cookies
from onboarding.runtime import current
from onboarding.settings import REDIRECT_PATH

blueprint = Blueprint("callback", __name__)
# The address contains Slack's code: not even our own pages get it as a referrer.
set_policy(blueprint, HeaderPolicy(opener_policy="unsafe-none", referrer_policy="no-referrer"))
_LOG = structlog.get_logger(__name__)


@blueprint.get(REDIRECT_PATH)
@public
@allow_any_text
def oauth_redirect() -> ResponseReturnValue:
    if request.method == "HEAD":
        # Link checkers send HEAD requests, which must not use up the code.
        return ""
    try:
        step = current().installs.handle_callback(request.args.to_dict(), attempt_cookies.binding)
    except StorageProblem as problem:
        # The state was not consumed: the same callback succeeds once the database answers.
        _LOG.error("install.database_gone", problem=problem.sentence)
        return answers.redirect_to_ended(Outcome.STORAGE_ERROR)
    return answers.continue_after(step)
