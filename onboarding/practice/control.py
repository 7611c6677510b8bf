"""The control address, `/control/…`, JSON in and out: for hosts' tests and CI, what `World` is for tests in Python."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from onboarding.practice.faults import SPECIAL_FAULTS, Fault
from onboarding.practice.scenarios import SCENARIOS
from onboarding.practice.web_api import METHODS
from onboarding.practice.world import World

blueprint = Blueprint("control", __name__, url_prefix="/control")


class BadOrder(Exception):
    """What was posted cannot be done; the message is shown to who posted it."""


@blueprint.get("/")
def describe() -> Response:
    scenarios = [{"name": row.name, "group": row.group, "sentence": row.sentence} for row in SCENARIOS]
    faults = [*SPECIAL_FAULTS, "or any Slack error code"]
    return jsonify(scenarios=scenarios, methods=list(METHODS), faults=faults, orders=list(_ORDERS))


@blueprint.get("/calls")
def calls() -> Response:
    return jsonify(calls=[asdict(call) for call in _world().calls(request.args.get("method"))])


@blueprint.get("/deliveries")
def deliveries() -> Response:
    return jsonify(deliveries=[asdict(delivery) for delivery in _world().events.deliveries()])


@blueprint.post("/<order>")
def obey(order: str) -> tuple[Response, int]:
    body = request.get_json(silent=True) if request.is_json else None
    if not isinstance(body, dict):
        return jsonify(ok=False, error="Send a JSON object, with Content-Type: application/json."), 400
    if order not in _ORDERS:
        return jsonify(ok=False, error=f"There is no such order. These are: {', '.join(_ORDERS)}."), 404
    try:
        done = _ORDERS[order](_world(), body)
    except BadOrder as problem:
        return jsonify(ok=False, error=str(problem)), 400
    return jsonify(ok=done), 200 if done else 409


def _fault(world: World, body: dict[str, Any]) -> bool:
    method, fault = _text(body, "method"), _text(body, "fault")
    if method not in METHODS:
        raise BadOrder(f"method is one of: {', '.join(METHODS)}.")
    world.faults.order(
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


def _consent(world: World, body: dict[str, Any]) -> bool:
    try:
        world.next_consent(_text(body, "scenario"))
    except KeyError:
        raise BadOrder("There is no such scenario; GET /control/ lists them.") from None
    return True


def _clock(world: World, body: dict[str, Any]) -> bool:
    world.moves_clock(_number(body, "seconds", 0))
    return True


def _forward(world: World, body: dict[str, Any]) -> bool:
    world.forwards_to = _text(body, "origin") if body.get("origin") is not None else None
    return True


def _order_of_events(world: World, body: dict[str, Any]) -> bool:
    world.events.uninstalled_first = body.get("uninstalled_first") is True
    return True


def _reset(world: World, _body: dict[str, Any]) -> bool:
    world.reset()
    return True


def _approve(world: World, body: dict[str, Any]) -> bool:
    world.approves(_text(body, "client_id"), _place(world, body))
    return True


def _uninstall(world: World, body: dict[str, Any]) -> bool:
    return world.removes_app(_text(body, "client_id"), _place(world, body))


def _add(world: World, body: dict[str, Any]) -> bool:
    return world.adds_to_workspace(_text(body, "client_id"), _place(world, body))


def _invite(world: World, body: dict[str, Any]) -> bool:
    return world.invites_bot(_text(body, "client_id"), _place(world, body), _text(body, "channel"))


_ORDERS: dict[str, Callable[[World, dict[str, Any]], bool]] = {
    "fault": _fault,
    "consent": _consent,
    "clock": _clock,
    "forward": _forward,
    "events": _order_of_events,
    "approve": _approve,
    "uninstall": _uninstall,
    "add-to-workspace": _add,
    "invite": _invite,
    "reset": _reset,
}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadOrder(f"{name} is missing, or is not a text.")
    return value


def _number(body: dict[str, Any], name: str, usual: float) -> float:
    value = body.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise BadOrder(f"{name} is not a number from 0.")
    return value


def _place(world: World, body: dict[str, Any]) -> str:
    place = _text(body, "workspace")
    if place not in world.workspaces:
        raise BadOrder(f"workspace is one of: {', '.join(world.workspaces)}.")
    return place


def _world() -> World:
    world: World = current_app.extensions["practice_world"]
    return world
