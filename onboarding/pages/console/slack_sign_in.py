"""Sign operators in with Slack: redirect to Slack, handle its callback, and explain why a person was not signed in."""

from typing import Any

import structlog
from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import StorageProblem
from onboarding.http import operator_guard
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.route_access import public
from onboarding.http.security_headers import HeaderPolicy, set_policy
from onboarding.http.sign_in_page import render_sign_in
from onboarding.http.text_input import allow_any_text
from onboarding.runtime import current
from onboarding.services.slack_sign_in import BegunSignIn, RefusalReason, SignInRefusal, SlackSession

blueprint = Blueprint("slack_sign_in", __name__)
# The address of the callback contains Slack's code: not even our own pages get it as a referrer.
set_policy(blueprint, HeaderPolicy(referrer_policy="no-referrer"))
_LOG = structlog.get_logger(__name__)
#: In the session cookie: the sign-ins that this browser has begun, by state, and why the last one was refused.
_BEGUN, _REFUSED = "slack_sign_ins", "slack_refusal"
#: A person may begin in several tabs. The size of a cookie is limited.
_MAX_BEGUN = 3
_MAX_ADDRESS_LENGTH = 500
_STATUSES = {RefusalReason.NOT_LISTED: 403, RefusalReason.SLACK_DOWN: 503, RefusalReason.CANCELLED: 200}


@blueprint.get("/sign-in/slack")
@public
def begin() -> ResponseReturnValue:
    """Show the page with the button: opening an address begins nothing."""
    return redirect(url_for("operators.needed"), 303)


@blueprint.post("/sign-in/slack")
@public
@reload_on_csrf_failure("operators.needed")
def begin_submit() -> ResponseReturnValue:
    started = current().slack_sign_in.start()
    if started is None:
        return _refuse(SignInRefusal(RefusalReason.NOT_OFFERED))
    url, new = started
    begun = dict(list(_begun().items())[1 - _MAX_BEGUN :])
    session[_BEGUN] = begun | {new.state: [new.nonce, new.expires_at, _local(request.form.get("wanted", ""))]}
    return redirect(url, 303)


@blueprint.get("/sign-in/slack/callback")
@public
@allow_any_text
def callback() -> ResponseReturnValue:
    if request.method == "HEAD":
        # Link checkers send HEAD requests, which must not use up the code.
        return ""
    try:
        return _finish_or_refuse()
    except StorageProblem as problem:
        _LOG.error("sign_in.database_gone", problem=problem.sentence)
        # To an address without the code.
        return redirect(url_for("operators.needed"), 303)


@blueprint.get("/sign-in/slack/refused")
@public
def refused() -> ResponseReturnValue:
    """Explain the refusal, at an address without the code. It can be loaded again."""
    refusal = session.get(_REFUSED)
    if not refusal:
        return redirect(url_for("operators.needed"), 303)
    reason, slack_user, cause = refusal
    values = {"reason": reason, "slack_user": slack_user, "cause": cause}
    redirect_uri = current().settings.sign_in_redirect_uri
    page = render_sign_in("console/operators/slack_refused.html", redirect_uri=redirect_uri, **values)
    return page, _STATUSES.get(RefusalReason(reason), 400)


def _finish_or_refuse() -> ResponseReturnValue:
    """Finish the sign-in that Slack redirected from, or redirect to the page of its refusal. Raises StorageProblem."""
    state, begun = request.args.get("state", ""), _begun()
    nonce, expires_at, wanted = begun.pop(state, ("", 0, ""))
    session[_BEGUN] = begun
    if not nonce and operator_guard.signed_in_person():
        # Another tab of this browser was quicker.
        return redirect(url_for("connections.index"), 303)
    found = _finished(BegunSignIn(state, nonce, expires_at))
    if isinstance(found, SignInRefusal):
        return _refuse(found)
    operator_guard.start_session(found.token)
    return redirect(_local(wanted) or url_for("connections.index"), 303)


def _begun() -> dict[str, Any]:
    found: dict[str, Any] = session.get(_BEGUN) or {}
    return dict(found)


def _finished(begun: BegunSignIn) -> SlackSession | SignInRefusal:
    """Open a session if Slack identifies a person, and the person is listed."""
    if not begun.nonce:
        return SignInRefusal(RefusalReason.STALE)
    if error := request.args.get("error"):
        return SignInRefusal(RefusalReason.CANCELLED if error == "access_denied" else RefusalReason.SLACK_REFUSED)
    return current().slack_sign_in.finish(request.args.get("code", ""), begun)


def _refuse(refusal: SignInRefusal) -> ResponseReturnValue:
    session[_REFUSED] = [refusal.reason, refusal.slack_user, refusal.cause]
    return redirect(url_for("slack_sign_in.refused"), 303)


def _local(address: str) -> str:
    """Return the address if it is a page of this server; empty if a browser could read it as another site's."""
    is_page = address.startswith("/") and not address.startswith(("//", "/sign-in", "/signed-out"))
    is_plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if is_page and is_plain and len(address) <= _MAX_ADDRESS_LENGTH else ""
