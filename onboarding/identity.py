"""Whose a connection is: mode, subscriber, contexts, and the one identity that they make. Pure; the same for pages and programs."""

import hashlib
import json
import re
from collections.abc import Iterable

from onboarding.errors import Conflict, NotFound, Refused

#: A context's type, and its id.
CONTEXT_WORD = re.compile(r"[a-zA-Z0-9_-]{1,100}\Z")
MOST_CONTEXTS = 5


def identity_key(integration_id: str, subscriber_id: str | None, context_keys: Iterable[str]) -> str:
    """One text for integration, subscriber and exact set of context keys, so that one unique column can hold it."""
    return _digest([integration_id, subscriber_id, sorted(set(context_keys))])


def context_digest(context_keys: Iterable[str]) -> str:
    """One text for an exact set of context keys, the empty set included."""
    return _digest(sorted(set(context_keys)))


def settled_mode(mode: str | None, subscriber_id: str | None, has_context: bool) -> tuple[str, str | None]:
    """Mode and subscriber of what a program asks for (contract.md A3, *Mode*).

    Raises Refused (`context_required`, `subscriber_required`, `owner_required`).
    """
    if mode == "shared":
        if not has_context:
            raise Refused('context is required when connectionMode is "shared"', "context", "context_required")
        return "shared", None
    if mode == "subscriber" and not subscriber_id:
        sentence = 'subscriberId is required when connectionMode is "subscriber"'
        raise Refused(sentence, "subscriberId", "subscriber_required")
    if not subscriber_id and not has_context:
        raise Refused("Either subscriberId or context must be provided", "subscriberId", "owner_required")
    return ("subscriber", subscriber_id) if subscriber_id else ("shared", None)


def unknown_integration(identifier: str) -> NotFound:
    return NotFound(f"Integration not found: {identifier}", "integration_not_found")


def unknown_subscriber(subscriber_id: str) -> NotFound:
    return NotFound(f"Subscriber not found: {subscriber_id}", "subscriber_not_found")


def unknown_connection(identifier: str) -> NotFound:
    return NotFound(f"Channel connection with identifier '{identifier}' not found", "connection_not_found")


def connection_exists(
    integration: str, subscriber_id: str | None, context_keys: Iterable[str], identifier: str
) -> Conflict:
    person = f'subscriberId "{subscriber_id}"' if subscriber_id else "no subscriberId"
    keys = ", ".join(context_keys)
    place = f"context [{keys}]" if keys else "no context"
    return Conflict(
        f'A channel connection already exists for integration "{integration}" with {person} and {place}. '
        f"Connection ID: {identifier}",
        "connection_exists",
        identifier,
    )


def identifier_taken(identifier: str, environment_name: str) -> Conflict:
    return Conflict(
        f'Channel connection with identifier "{identifier}" already exists in environment "{environment_name}"',
        "identifier_taken",
    )


def _digest(told: object) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
