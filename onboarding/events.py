"""Write events for hosts, in the transaction of the change: a delivery for each endpoint, and the work that sends it.

An event is sent if and only if its change is committed. Without an endpoint that wants it, nothing is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from onboarding import documents, ids, texts
from onboarding.callers import Actor
from onboarding.connection_rows import connection_of
from onboarding.event_types import TEST_EVENT, EventType
from onboarding.outcomes import OUTCOMES, ConnectionStatus, EndpointStatus, Outcome
from onboarding.outgoing import queue
from onboarding.store import connection_documents, event_sequences, followed_channels, installs, webhook_deliveries
from onboarding.store import webhook_endpoints as endpoints
from onboarding.store.connection_documents import ConnectionRow
from onboarding.store.database import Rows
from onboarding.store.installs import AttemptRows
from onboarding.store.webhook_deliveries import DeliveryState
from onboarding.work import Queue, Work

#: The workflow of `onboarding/jobs/webhooks.py` that sends a delivery.
DELIVER = "deliver-webhook"
_PAUSED = "The endpoint was paused."
Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventDetails:
    """The part of an event that only the code that makes the change knows. No member may contain a secret."""

    #: A word for programs, such as `app_uninstalled`.
    cause: str | None = None
    #: A sentence for people.
    reason: str | None = None
    #: The members of the documented object that changed, with their values before.
    previous: Mapping[str, Any] = field(default_factory=dict)
    #: The host's own text of the link or session that led to the change.
    reference: str | None = None
    #: The connection as it was, if it has just been removed.
    removed: ConnectionRow | None = None
    #: The channel endpoint that the change is about: its `identifier`, `type`, `status` and `channelId`.
    endpoint: Mapping[str, Any] | None = None


NO_DETAILS = EventDetails()


def name_changed(workspace_id: str, previous_name: str | None) -> EventDetails:
    """Return the details of a workspace's new name."""
    return EventDetails("name_changed", previous={"workspace": {"id": workspace_id, "name": previous_name}})


@dataclass(frozen=True, slots=True)
class ConnectionEvent:
    """A change of a connection."""

    type: EventType
    environment_id: str
    identifier: str
    actor: Actor
    at: datetime
    details: EventDetails


def connection_changed(rows: Rows, event: ConnectionEvent) -> None:
    """Write the event. The connection must be in the database, or in `details.removed`."""
    listeners = _listeners(rows, event.environment_id, event.type)
    if not listeners:
        return
    row = event.details.removed or connection_documents.documented(rows, event.environment_id, event.identifier)
    if row is None:
        raise LookupError("The connection of the event is missing.")
    number = event_sequences.next_number(rows, event.environment_id, event.identifier)
    shown = _connection(row, event.type)
    change: Members = {"actor": event.actor.kind}
    change |= {name: value for name in ("cause", "reason") if (value := getattr(event.details, name)) is not None}
    if event.details.previous:
        change["previous"] = dict(event.details.previous)
    data = {
        "sequence": number,
        "connection": shown,
        "change": change,
        "reference": event.details.reference,
        "next": [*shown.get("next", ()), *_hints(rows, row, event)],
    }
    if event.details.endpoint is not None:
        data["endpoint"] = dict(event.details.endpoint)
    _publish(rows, listeners, _Message(event.environment_id, event.type, event.identifier, number, event.at, data))


def attempt_ended(rows: Rows, attempt_id: str) -> None:
    """Write the event of an attempt that this transaction has finished, if it ended without a connection."""
    found = installs.attempt_by_id(rows, attempt_id)
    outcome = found.attempt.outcome if found is not None else None
    if found is None or outcome is None or outcome.is_success:
        return
    attempt = found.attempt
    is_awaited = outcome is Outcome.AWAITING_APPROVAL
    kind = EventType.ATTEMPT_AWAITING_APPROVAL if is_awaited else EventType.ATTEMPT_FAILED
    listeners = _listeners(rows, attempt.environment_id, kind)
    if not listeners:
        return
    action = "approve" if is_awaited else OUTCOMES[outcome].action.replace("-", "_")
    data = {
        "attempt": _attempt(found, outcome),
        "reference": found.link.reference if found.link else None,
        "next": [action] if action else [],
    }
    subject, at = ids.attempt_reference(attempt.id), attempt.finished_at or attempt.created_at
    _publish(rows, listeners, _Message(attempt.environment_id, kind, subject, None, at, data))


def test(rows: Rows, environment_id: str, endpoint_id: str, at: datetime) -> str:
    """Write a test event for one endpoint, and return the delivery's id."""
    data = {"message": "This is a test event. Your endpoint got it, and its answer is shown in the console."}
    return _deliver(rows, endpoint_id, None, _Message(environment_id, TEST_EVENT, endpoint_id, None, at, data))


@dataclass(frozen=True, slots=True)
class _Message:
    environment_id: str
    type: str
    subject: str
    sequence: int | None
    at: datetime
    data: Members
    id: str = field(default_factory=lambda: ids.new_id("evt", 24))

    @property
    def body(self) -> str:
        members = {"id": self.id, "type": self.type, "timestamp": documents.timestamp(self.at), "data": self.data}
        return orjson.dumps(members).decode()


def _listeners(rows: Rows, environment_id: str, kind: EventType) -> list[endpoints.Listener]:
    return [one for one in endpoints.listeners(rows, environment_id) if not one.events or kind in one.events]


def _publish(rows: Rows, listeners: list[endpoints.Listener], message: _Message) -> None:
    for one in listeners:
        _deliver(rows, one.id, _PAUSED if one.pause_reason is not None else None, message)


def _deliver(rows: Rows, endpoint_id: str, problem: str | None, message: _Message) -> str:
    """Add a delivery and the work that sends it; with a problem, it is parked instead."""
    delivery_id = ids.new_id("dlv")
    webhook_deliveries.add(
        rows,
        id=delivery_id,
        environment_id=message.environment_id,
        endpoint_id=endpoint_id,
        message_id=message.id,
        event=message.type,
        subject=message.subject,
        sequence=message.sequence,
        body=message.body,
        state=DeliveryState.PARKED if problem else DeliveryState.WAITING,
        number=1,
        failures=0,
        due_at=message.at,
        created_at=message.at,
        problem=problem,
    )
    if problem is None:
        queue.enqueue(rows, work_of(delivery_id, 1))
    return delivery_id


def work_of(delivery_id: str, number: int, delay_seconds: float = 0) -> Work:
    return Work(Queue.WEBHOOKS, DELIVER, (delivery_id, number), delay_seconds)


def _connection(row: ConnectionRow, kind: EventType) -> Members:
    shown = documents.connection(connection_of(row), with_token=False)
    if kind is EventType.DISCONNECTED:
        shown |= {"status": ConnectionStatus.DISCONNECTED, "auth": {"accessToken": "", "hasAccessToken": False}}
    return shown


def _hints(rows: Rows, row: ConnectionRow, event: ConnectionEvent) -> list[str]:
    """Return what the host can do next, beside what the connection itself needs."""
    if event.details.endpoint is not None:
        has_channel = event.details.endpoint["status"] == EndpointStatus.ACTIVE
    elif event.type in (EventType.CONNECTED, EventType.RECONNECTED):
        has_channel = followed_channels.has_active_channel(rows, row.id)
    else:
        return []
    return [] if has_channel else ["choose_channel"]


def _attempt(found: AttemptRows, outcome: Outcome) -> Members:
    attempt, link = found.attempt, found.link
    workspace = {"id": attempt.workspace_id, "name": attempt.workspace_name} if attempt.workspace_id else None
    return {
        "reference": ids.attempt_reference(attempt.id),
        "outcome": outcome,
        "reason": texts.OUTCOMES[outcome].sentence,
        "integrationIdentifier": found.integration.identifier,
        "link": link.id if link else None,
        "subscriberId": link.subscriber_id if link else None,
        "contextKeys": link.context_keys if link else (),
        "workspace": workspace,
        "createdAt": documents.timestamp(attempt.created_at),
    }
