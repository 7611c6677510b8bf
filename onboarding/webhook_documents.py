"""Webhook endpoints, deliveries and tries: the records that services return, and their JSON objects."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onboarding.addresses import host_of
from onboarding.documents import timestamp


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    id: str
    url: str
    description: str
    #: The events that are sent; empty for all of them.
    events: tuple[str, ...]
    #: `requested`, `failures` or `gone`; None while it is not paused.
    pause_reason: str | None
    paused_at: datetime | None
    failing_since: datetime | None
    #: Until when messages are also signed with the secret before the last change.
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime
    #: Only in the answer that creates or changes it.
    secret: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Return what pages call it: its description, else the host of its address."""
        return self.description or host_of(self.url)

    @property
    def status(self) -> str:
        """Return `paused`, `failing` or `enabled`."""
        if self.paused_at is not None:
            return "paused"
        return "failing" if self.failing_since is not None else "enabled"


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    id: str
    endpoint_id: str
    message_id: str
    event: str
    subject: str
    sequence: int | None
    body: str
    #: `waiting`, `delivered` or `parked`.
    state: str
    #: How many tries failed since the event or its last replay.
    failures: int
    #: None unless it is waiting.
    next_try_at: datetime | None
    created_at: datetime
    tried_at: datetime | None
    answer_status: int | None
    answer_body: str | None
    problem: str | None
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class WebhookTry:
    """One request to the endpoint, with its answer."""

    tried_at: datetime
    answer_status: int | None
    answer_body: str | None
    #: None if the message was accepted.
    problem: str | None
    milliseconds: int


def endpoint(one: WebhookEndpoint) -> dict[str, Any]:
    """Return the JSON object of an endpoint, without the members that have no value."""
    members: dict[str, Any] = {
        "id": one.id,
        "url": one.url,
        "description": one.description,
        "events": list(one.events),
        "status": one.status,
    }
    if one.pause_reason is not None:
        members["pauseReason"] = str(one.pause_reason)
    times = {
        "pausedAt": one.paused_at,
        "failingSince": one.failing_since,
        "previousSecretUntil": one.previous_secret_until,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }
    members |= {name: timestamp(time) for name, time in times.items() if time is not None}
    if one.secret is not None:
        members["secret"] = one.secret
    return members


def delivery(one: WebhookDelivery) -> dict[str, Any]:
    """Return the JSON object of a delivery, without the members that have no value."""
    members: dict[str, Any] = {
        "id": one.id,
        "endpointId": one.endpoint_id,
        "messageId": one.message_id,
        "event": one.event,
        "subject": one.subject,
        "status": str(one.state),
        "failures": one.failures,
        "createdAt": timestamp(one.created_at),
        "body": one.body,
    }
    optional = {
        "sequence": one.sequence,
        "answerStatus": one.answer_status,
        "answerBody": one.answer_body,
        "problem": one.problem,
        "milliseconds": one.milliseconds,
        "triedAt": timestamp(one.tried_at) if one.tried_at else None,
        "nextTryAt": timestamp(one.next_try_at) if one.next_try_at else None,
    }
    return members | {name: value for name, value in optional.items() if value is not None}


def one_try(one: WebhookTry) -> dict[str, Any]:
    """Return the JSON object of a try, without the members that have no value."""
    optional = {"answerStatus": one.answer_status, "answerBody": one.answer_body, "problem": one.problem}
    members = {"triedAt": timestamp(one.tried_at), "milliseconds": one.milliseconds}
    return members | {name: value for name, value in optional.items() if value is not None}
