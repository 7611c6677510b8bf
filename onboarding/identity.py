"""A connection's identity: integration, subscriber and set of contexts. Pages and the API use the same rules."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onboarding.errors import Refused

#: The type or the id of a context.
CONTEXT_PART = re.compile(r"[a-zA-Z0-9_-]{1,100}\Z")
#: The id that Slack gives a workspace, or an organization.
WORKSPACE_ID = re.compile(r"[TE][A-Z0-9]{1,99}\Z")
#: The most contexts of a connection.
MAX_CONTEXTS = 5
#: The most contexts that a link fixes and offers together.
_MAX_LINK_CONTEXTS = 20


@dataclass(frozen=True, slots=True)
class OfferedContext:
    """A context that the holder of a link may choose, with the name that people read."""

    type: str
    id: str
    label: str | None = None

    @classmethod
    def of_key(cls, key: str) -> "OfferedContext":
        kind, _, name = key.partition(":")
        return cls(kind, name)

    @property
    def key(self) -> str:
        return f"{self.type}:{self.id}"


def identity_key(integration_id: str, subscriber_id: str | None, context_keys: Iterable[str]) -> str:
    """Return a digest of integration, subscriber and exact set of context keys, for a unique column."""
    return _digest([integration_id, subscriber_id, sorted(set(context_keys))])


def context_digest(context_keys: Iterable[str]) -> str:
    """Return a digest of an exact set of context keys, which may be empty."""
    return _digest(sorted(set(context_keys)))


def possible_modes(mode: str | None, has_subscriber: bool, has_context: bool) -> tuple[str, ...]:
    """Return the modes that a link for one customer leaves open. `mode`: the mode that it fixes, if any."""
    if mode is not None:
        return (mode,)
    return (("subscriber",) if has_subscriber else ()) + (("shared",) if has_context else ())


def may_have_subscriber(mode: str | None, is_open: bool, subscriber_id: str | None) -> bool:
    """Return whether a link with these terms can connect a subscriber. `is_open`: its holder enters the customer."""
    return mode != "shared" and (is_open or subscriber_id is not None)


def possible_identities(
    integration_id: str, modes: Iterable[str], subscriber_id: str | None, context_sets: Sequence[Iterable[str]]
) -> tuple[str, ...]:
    """Return the identity keys that a link for one customer can lead to."""
    return tuple(
        identity_key(integration_id, subscriber_id if mode == "subscriber" else None, keys)
        for mode in modes
        for keys in context_sets
    )


def is_context_key(text: str) -> bool:
    """Return whether the text is a context key, `type:id`."""
    kind, separator, name = text.partition(":")
    return bool(separator and CONTEXT_PART.match(kind) and CONTEXT_PART.match(name))


def check_link_contexts(fixed: Sequence[str], offered: Sequence[OfferedContext]) -> None:
    """Check the keys of the contexts that a link fixes and offers.

    Raises ValueError for a key that is not `type:id`, for too many, and for a type that is fixed twice.
    """
    keys = (*fixed, *(one.key for one in offered))
    for key in keys:
        if not is_context_key(key):
            raise ValueError(f"{key!r} is not a context: write TYPE=ID, each with 1 to 100 letters, digits, - and _.")
    if len(keys) > _MAX_LINK_CONTEXTS:
        raise ValueError(f"A link has at most {_MAX_LINK_CONTEXTS} contexts.")
    if len(fixed) + bool(offered) > MAX_CONTEXTS:
        raise ValueError(f"A connection has at most {MAX_CONTEXTS} contexts, the offered one included.")
    types = {key.partition(":")[0] for key in fixed}
    if len(types) < len(fixed) or types & {one.type for one in offered}:
        raise ValueError("Each context type can be fixed once, and a fixed type cannot be offered.")
    if len({one.key for one in offered}) < len(offered):
        raise ValueError("Each context can be offered once.")


def resolve_mode(mode: str | None, subscriber_id: str | None, has_context: bool) -> tuple[str, str | None]:
    """Return the mode and the subscriber of a connection that an API caller creates.

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


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
