"""Subscribers: the customers or users that connections belong to, with the profile that callers store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onboarding import changes
from onboarding.before_commit import BeforeCommit
from onboarding.callers import ApiCaller
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.documents import Subscriber
from onboarding.errors import Conflict, NotFound
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.store import channel_endpoints, connections, pagination
from onboarding.store import subscribers as store
from onboarding.store.database import Database, Session


@dataclass(frozen=True)
class SubscriberContent:
    """The values that a caller stores. `profile` holds the members to change, by the names of `documents.PROFILE`."""

    subscriber_id: str
    profile: Mapping[str, Any]


class SubscriberExists(Conflict):
    """The response contains the existing subscriber, because the official Python client parses one from it."""

    code = "subscriber_exists"

    def __init__(self, existing: Subscriber) -> None:
        super().__init__(f"Subscriber: {existing.subscriber_id} already exists")
        self.existing = existing


class Subscribers:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def create(
        self, caller: ApiCaller, new: SubscriberContent, fail_if_exists: bool, before_commit: BeforeCommit
    ) -> Subscriber:
        """Create a subscriber or change the existing one. Raises SubscriberExists with `fail_if_exists`."""
        key, columns = (caller.environment.id, new.subscriber_id), _columns(new.profile)
        with self._database.transaction() as session:
            kind = ChangeKind.SUBSCRIBER_CREATED
            # Repeated if the subscriber is deleted between the two statements.
            while not store.add(session, *key, columns, self._now()):
                if fail_if_exists and store.hold(session, *key):
                    raise SubscriberExists(self._find(session, *key))
                if not fail_if_exists and store.change(session, *key, columns, self._now()):
                    kind = ChangeKind.SUBSCRIBER_UPDATED
                    break
            created = self._find(session, *key)
            self._record(session, kind, caller, new.subscriber_id)
            before_commit(session, created)
        return created

    def retrieve(self, environment_id: str, subscriber_id: str) -> Subscriber:
        """Return a subscriber. Raises NotFound."""
        with self._database.reading() as session:
            return self._find(session, environment_id, subscriber_id)

    def list(self, environment_id: str, request: PageRequest, filters: Mapping[str, str]) -> Page[Subscriber]:
        """Return a page of subscribers. `filters`: `subscriber_id`, `email`, `phone`, `name`.

        Raises Refused (`cursor_unknown`).
        """
        store_request = pagination.store_page_request("subscribers", environment_id, request)
        with self._database.reading() as session:
            page_rows = store.page(session, environment_id, store_request, filters)
            total = store.count(session, environment_id, filters, COUNT_CAP + 1)
        return pagination.page_of(store_request, page_rows, total, COUNT_CAP, _subscriber)

    def change(self, caller: ApiCaller, new: SubscriberContent, before_commit: BeforeCommit) -> Subscriber:
        """Change the members named in the profile. Raises NotFound."""
        key = (caller.environment.id, new.subscriber_id)
        with self._database.transaction() as session:
            if not store.change(session, *key, _columns(new.profile), self._now()):
                raise _unknown(new.subscriber_id)
            changed = self._find(session, *key)
            self._record(session, ChangeKind.SUBSCRIBER_UPDATED, caller, new.subscriber_id)
            before_commit(session, changed)
        return changed

    def remove(self, caller: ApiCaller, subscriber_id: str) -> None:
        """Delete a subscriber and its channel endpoints.

        Raises NotFound, and Conflict while connections belong to the subscriber.
        """
        environment_id = caller.environment.id
        with self._database.transaction() as session:
            # Deleted first, then counted: a connection that is created at the same time is either counted or creates
            # the subscriber again.
            if not store.remove(session, environment_id, subscriber_id):
                raise NotFound("Subscriber was not found", "subscriber_not_found")
            used = connections.count_of_subscriber(session, environment_id, subscriber_id)
            if used:
                raise Conflict(
                    f"Subscriber '{subscriber_id}' has {used} channel connection{'s' if used > 1 else ''}. "
                    "Delete them first.",
                    "subscriber_in_use",
                )
            channel_endpoints.remove_of_subscriber(session, environment_id, subscriber_id)
            self._record(session, ChangeKind.SUBSCRIBER_DELETED, caller, subscriber_id)

    def _record(self, session: Session, kind: ChangeKind, caller: ApiCaller, subscriber_id: str) -> None:
        changes.record(session, Change(kind, caller.actor, self._now(), caller.environment.id, subscriber_id))

    def _find(self, session: Session, environment_id: str, subscriber_id: str) -> Subscriber:
        row = store.find(session, environment_id, subscriber_id)
        if row is None:
            raise _unknown(subscriber_id)
        return _subscriber(row)


def _unknown(subscriber_id: str) -> NotFound:
    return NotFound(f"Subscriber: {subscriber_id} was not found", "subscriber_not_found")


def _columns(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(name, value) for name, value in profile.items()}


def _text(name: str, value: Any) -> Any:
    return json.dumps(value) if name == "data" and value is not None else value


def _subscriber(row: store.Subscriber) -> Subscriber:
    profile = {name: getattr(row, name) for name in store.PROFILE if getattr(row, name) is not None}
    if "data" in profile:
        profile["data"] = json.loads(profile["data"])
    return Subscriber(row.environment_id, row.subscriber_id, profile, row.created_at, row.updated_at)
