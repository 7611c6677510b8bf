"""The JSON API at `/control/…`: it offers the methods of `PracticeSlack` to tests and CI jobs in any language."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from onboarding.practice import admins
from onboarding.practice.current import practice_slack
from onboarding.practice.faults import SPECIAL_FAULTS, Fault
from onboarding.practice.scenarios import SCENARIOS
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.web_api import METHODS

blueprint = Blueprint("control", __name__, url_prefix="/control")


class BadCommand(Exception):
    """The posted command is invalid. The message is shown to the client."""


@blueprint.get("/")
def describe() -> Response:
    scenarios = [{"name": row.name, "group": row.group, "sentence": row.sentence} for row in SCENARIOS]
    faults = [*SPECIAL_FAULTS, "or any Slack error code"]
    return jsonify(scenarios=scenarios, methods=list(METHODS), faults=faults, orders=list(_COMMANDS))


@blueprint.get("/calls")
def calls() -> Response:
    return jsonify(calls=[asdict(call) for call in practice_slack().calls(request.args.get("method"))])


@blueprint.get("/deliveries")
def deliveries() -> Response:
    return jsonify(deliveries=[asdict(delivery) for delivery in practice_slack().events.deliveries()])


@blueprint.post("/<command>")
def run_command(command: str) -> tuple[Response, int]:
    body = request.get_json(silent=True) if request.is_json else None
    if not isinstance(body, dict):
        return jsonify(ok=False, error="Send a JSON object, with Content-Type: application/json."), 400
    if command not in _COMMANDS:
        return jsonify(ok=False, error=f"There is no such command. The commands are: {', '.join(_COMMANDS)}."), 404
    try:
        done = _COMMANDS[command](practice_slack(), body)
    except BadCommand as problem:
        return jsonify(ok=False, error=str(problem)), 400
    return jsonify(ok=done), 200 if done else 409


def _fault(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    method, fault = _text(body, "method"), _text(body, "fault")
    if method not in METHODS:
        raise BadCommand(f"method must be one of: {', '.join(METHODS)}.")
    slack.faults.add(
        method,
        Fault(
            fault,
            times=max(1, int(_number(body, "times", 1))),
            seconds=_number(body, "seconds", 15),
            retry_after=int(_number(body, "retry_after", 5)),
            moment="after" if body.get("after") is True else "before",
        ),
    )
    return True


def _consent(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    try:
        slack.next_consent(_text(body, "scenario"))
    except KeyError:
        raise BadCommand(f"There is no such scenario. GET {url_for('control.describe')} lists them.") from None
    return True


def _clock(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    slack.moves_clock(_number(body, "seconds", 0))
    return True


def _forward(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    slack.forwards_to = _text(body, "origin") if body.get("origin") is not None else None
    return True


def _order_of_events(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    slack.events.uninstalled_first = body.get("uninstalled_first") is True
    return True


def _reset(slack: PracticeSlack, _body: dict[str, Any]) -> bool:
    slack.reset()
    return True


def _approve(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    slack.approves(_text(body, "client_id"), _workspace_id(slack, body))
    return True


def _uninstall(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return slack.removes_app(_text(body, "client_id"), _workspace_id(slack, body))


def _add(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return admins.add_to_workspace(slack, _text(body, "client_id"), _workspace_id(slack, body))


def _remove(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return admins.remove_from_workspace(slack, _text(body, "client_id"), _workspace_id(slack, body))


def _rename(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return admins.rename_workspace(slack, _workspace_id(slack, body), _text(body, "name"))


def _channel(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    action = _text(body, "action")
    if action not in admins.ACTIONS:
        raise BadCommand(f"action is one of: {', '.join(admins.ACTIONS)}.")
    name = _text(body, "name") if action == "rename" else ""
    return admins.change_channel(slack, _workspace_id(slack, body), _text(body, "channel"), action, name)


def _invite(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return slack.invites_bot(_text(body, "client_id"), _workspace_id(slack, body), _text(body, "channel"))


def _mention(slack: PracticeSlack, body: dict[str, Any]) -> bool:
    return admins.mention(slack, _workspace_id(slack, body), _text(body, "channel"))


_COMMANDS: dict[str, Callable[[PracticeSlack, dict[str, Any]], bool]] = {
    "fault": _fault,
    "consent": _consent,
    "clock": _clock,
    "forward": _forward,
    "events": _order_of_events,
    "approve": _approve,
    "uninstall": _uninstall,
    "add-to-workspace": _add,
    "remove-from-workspace": _remove,
    "rename-workspace": _rename,
    "channel": _channel,
    "invite": _invite,
    "mention": _mention,
    "reset": _reset,
}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadCommand(f"{name} must be a text that is not empty.")
    return value


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise BadCommand(f"{name} must be a number from 0.")
    return value


def _workspace_id(slack: PracticeSlack, body: dict[str, Any]) -> str:
    workspace_id = _text(body, "workspace")
    if workspace_id not in slack.workspaces:
        raise BadCommand(f"workspace must be one of: {', '.join(slack.workspaces)}.")
    return workspace_id
