"""Slack's Web API at `/api/<method>`: run the method, apply the faults that wait, and answer in Slack's format."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from onboarding.practice import api_call, methods_channels, methods_oauth, openid
from onboarding.practice.api_call import Answer, ApiCall
from onboarding.practice.current import practice_slack
from onboarding.practice.errors import Refused
from onboarding.practice.faults import Fault
from onboarding.practice.scenarios import BY_NAME
from onboarding.practice.slack_state import PracticeSlack

blueprint = Blueprint("web_api", __name__)

METHODS: dict[str, Callable[[ApiCall], Answer]] = {
    "oauth.v2.access": methods_oauth.oauth_v2_access,
    "auth.test": methods_oauth.auth_test,
    "auth.revoke": methods_oauth.auth_revoke,
    "auth.teams.list": methods_oauth.auth_teams_list,
    "apps.uninstall": methods_oauth.apps_uninstall,
    "team.info": methods_oauth.team_info,
    "conversations.list": methods_channels.conversations_list,
    "conversations.info": methods_channels.conversations_info,
    "conversations.join": methods_channels.conversations_join,
    "chat.postMessage": methods_channels.chat_post_message,
    "openid.connect.token": openid.openid_connect_token,
    "openid.connect.userInfo": openid.openid_connect_user_info,
}

_PAGE = "<!doctype html><title>Practice Slack</title><h1>Something that is not JSON</h1>"


@dataclass(frozen=True)
class _Outcome:
    """A response, with the status and error for the call log."""

    answer: Response
    status: int
    error: str | None


@blueprint.route("/api/<method>", methods=["GET", "POST"])
def call(method: str) -> Response:
    slack = practice_slack()
    begun = slack.begin_call()
    if method not in METHODS:
        # The name is not logged: the path may contain a token by mistake.
        method, outcome = "unknown_method", _json({"ok": False, "error": "unknown_method"})
    else:
        outcome = _work(slack, method, slack.faults.take(method) or _fault_of_code(slack, method))
    slack.note_call(begun, method, outcome.status, outcome.error)
    return outcome.answer


@blueprint.post("/services/<team_id>/<bot_id>/<secret>")
def incoming_webhook(team_id: str, bot_id: str, secret: str) -> Response:
    slack = practice_slack()
    begun = slack.begin_call()
    path = f"services/{team_id}/{bot_id}/{secret}"
    with slack.reading() as ledger:
        known = any(path in installation.webhooks for installation in ledger.installations.values())
    slack.note_call(begun, "incoming_webhook", 200 if known else 404, None if known else "no_service")
    return Response("ok" if known else "no_service", 200 if known else 404, mimetype="text/plain")


def _work(slack: PracticeSlack, method: str, fault: Fault | None) -> _Outcome:
    if fault is None:
        return _answer(slack, method)
    if fault.moment == "after":
        answered = _answer(slack, method)
        return _apply_fault(slack, fault) or answered
    return _apply_fault(slack, fault) or _answer(slack, method)


def _answer(slack: PracticeSlack, method: str) -> _Outcome:
    call_made: ApiCall | None = None
    try:
        call_made = api_call.read(request, slack, request.root_url)
        body: dict[str, Any] = {"ok": True, **METHODS[method](call_made)}
    except Refused as refused:
        if refused.error == "ratelimited":
            return _rate_limited(Fault.retry_after)
        body = {"ok": False, "error": refused.error, **refused.more}
    if "charset" in request.mimetype_params and request.mimetype == "application/x-www-form-urlencoded":
        body["warning"] = "superfluous_charset"
        body["response_metadata"] = {**body.get("response_metadata", {}), "warnings": ["superfluous_charset"]}
    outcome = _json(body)
    if call_made and call_made.token_scopes is not None:
        outcome.answer.headers["x-oauth-scopes"] = ",".join(call_made.token_scopes)
    if body.get("needed"):
        outcome.answer.headers["x-accepted-oauth-scopes"] = body["needed"]
    return outcome


def _json(body: dict[str, Any], status: int = 200) -> _Outcome:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    return _Outcome(answer, status, body.get("error"))


def _fault_of_code(slack: PracticeSlack, method: str) -> Fault | None:
    """Return the fault of the scenario that issued this code."""
    value = request.form.get("code") if method == "oauth.v2.access" else None
    if not value:
        return None
    with slack.reading() as ledger:
        code = ledger.codes.get(value)
        if code is None or not code.trouble_left or code.expires_at <= slack.now():
            return None
        code.trouble_left -= 1
        return BY_NAME[code.scenario].fault


def _apply_fault(slack: PracticeSlack, fault: Fault) -> _Outcome | None:
    """Apply the fault. Return None if it was only a delay, after which the call continues."""
    if fault.kind == "hang":
        slack.faults.hang(fault)
        return None
    if fault.kind == "ratelimited":
        return _rate_limited(fault.retry_after)
    if fault.kind == "reset":
        return _Outcome(_cut_off(), 0, "reset")
    if fault.kind in ("status_500", "html_502", "html_200"):
        status = int(fault.kind[-3:])
        return _Outcome(Response("" if status == 500 else _PAGE, status, mimetype="text/html"), status, fault.kind)
    return _json({"ok": False, "error": fault.kind})


def _rate_limited(retry_after: int) -> _Outcome:
    limited = _json({"ok": False, "error": "ratelimited"}, 429)
    limited.answer.headers["Retry-After"] = str(retry_after)
    return limited


def _cut_off() -> Response:
    """Reset the connection if the server exposes its socket; else truncate the response."""
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        # With SO_LINGER 0, closing sends RST instead of FIN. The server holds file objects on the socket, which
        # would delay its own close, so this closes the file descriptor.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(connection.detach())
        return Response(_Gone())
    # With fewer bytes than Content-Length, every server has to close the connection.
    return Response(iter([b'{"ok": tr']), 200, {"Content-Length": "4096"}, mimetype="application/json")


class _Gone:
    """A body that raises ConnectionAbortedError before the server writes. Servers do not log that error."""

    def __iter__(self) -> "_Gone":
        return self

    def __next__(self) -> bytes:
        raise ConnectionAbortedError
