"""Subscribers: enough for creating, finding and naming people (contract.md A3, C2.2)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.store import channel_endpoints, connections, pagination
from onboarding.store import subscribers as store
from onboarding.store.database import BeforeCommit, Database, Session


@dataclass(frozen=True)
class Subscriber:
    environment_id: str
    subscriber_id: str
    #: Those of `store.PROFILE`; `data` is an object.
    profile: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


class SubscriberExists(Conflict):
    """An official client reads the one that exists out of this answer (contract.md C2.2)."""

    code = "subscriber_exists"

    def __init__(self, existing: Subscriber) -> None:
        super().__init__(f"Subscriber: {existing.subscriber_id} already exists")
        self.existing = existing


class Subscribers:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def create(
        self,
        environment_id: str,
        subscriber_id: str,
        profile: Mapping[str, Any],
        fail_if_exists: bool,
        before_commit: BeforeCommit,
    ) -> Subscriber:
        """One that exists is changed. Raises SubscriberExists if that is not wanted."""
        columns = _columns(profile)
        with self._database.transaction() as session:
            # One that is deleted between the two is made anew.
            while not store.add(session, environment_id, subscriber_id, columns, self._now()):
                if fail_if_exists and store.hold(session, environment_id, subscriber_id):
                    raise SubscriberExists(self._find(session, environment_id, subscriber_id))
                if not fail_if_exists and store.change(session, environment_id, subscriber_id, columns, self._now()):
                    break
            made = self._find(session, environment_id, subscriber_id)
            before_commit(session, made)
        return made

    def retrieve(self, environment_id: str, subscriber_id: str) -> Subscriber:
        """Raises NotFound."""
        with self._database.reading() as session:
            return self._find(session, environment_id, subscriber_id)

    def list(self, environment_id: str, ask: PageRequest, wanted: Mapping[str, str]) -> Page[Subscriber]:
        request = pagination.store_page_request("subscribers", environment_id, ask)
        with self._database.reading() as session:
            page_rows = store.page(session, environment_id, request, wanted)
            total = store.count(session, environment_id, wanted, COUNT_CAP + 1)
        return pagination.page_of(request, page_rows, total, COUNT_CAP, _subscriber)

    def change(
        self, environment_id: str, subscriber_id: str, profile: Mapping[str, Any], before_commit: BeforeCommit
    ) -> Subscriber:
        """Changes what is named in `profile`. Raises NotFound."""
        with self._database.transaction() as session:
            if not store.change(session, environment_id, subscriber_id, _columns(profile), self._now()):
                raise _unknown(subscriber_id)
            changed = self._find(session, environment_id, subscriber_id)
            before_commit(session, changed)
        return changed

    def remove(self, environment_id: str, subscriber_id: str) -> None:
        """Its channel endpoints go with it. Raises NotFound, and Conflict while connections belong to the subscriber."""
        with self._database.transaction() as session:
            # First it goes, then it is counted: who makes a connection for it at this moment is seen, or makes it anew.
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


def _subscriber(row: Any) -> Subscriber:
    profile = {name: getattr(row, name) for name in store.PROFILE if getattr(row, name) is not None}
    if "data" in profile:
        profile["data"] = json.loads(profile["data"])
    return Subscriber(row.environment_id, row.subscriber_id, profile, row.created_at, row.updated_at)
