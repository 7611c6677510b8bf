"""Contexts: the tenant, project or team that a connection refers to besides its subscriber, with the host's data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onboarding import changes
from onboarding.before_commit import BeforeCommit
from onboarding.callers import ApiCaller
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.documents import Context
from onboarding.errors import Conflict, NotFound
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.store import connections, pagination
from onboarding.store import contexts as store
from onboarding.store.database import Database, Session


@dataclass(frozen=True)
class ContextContent:
    """The values that a caller stores: a context's type and id, and its data."""

    type: str
    id: str
    data: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"{self.type}:{self.id}"


class Contexts:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def create(self, caller: ApiCaller, new: ContextContent, before_commit: BeforeCommit) -> Context:
        """Create a context. Raises Conflict (`context_exists`)."""
        with self._database.transaction() as session:
            if not store.add(session, caller.environment.id, new.key, new.data, self._now()):
                raise Conflict(f"Context with type '{new.type}' and id '{new.id}' already exists", "context_exists")
            created = self._find(session, caller.environment.id, new.type, new.id)
            self._record(session, ChangeKind.CONTEXT_CREATED, caller, new.key)
            before_commit(session, created)
        return created

    def retrieve(self, environment_id: str, kind: str, name: str) -> Context:
        """Return a context. Raises NotFound."""
        with self._database.reading() as session:
            return self._find(session, environment_id, kind, name)

    def list(self, environment_id: str, request: PageRequest, filters: Mapping[str, str]) -> Page[Context]:
        """Return a page of contexts. `filters`: `type`, `id`, `search`. Raises Refused (`cursor_unknown`)."""
        store_request = pagination.store_page_request("contexts", environment_id, request)
        with self._database.reading() as session:
            page_rows = store.page(session, environment_id, store_request, filters)
            total = store.count(session, environment_id, filters, COUNT_CAP + 1)
        return pagination.page_of(store_request, page_rows, total, COUNT_CAP, _context)

    def change(self, caller: ApiCaller, new: ContextContent, before_commit: BeforeCommit) -> Context:
        """Replace the data as a whole. Raises NotFound."""
        environment_id = caller.environment.id
        with self._database.transaction() as session:
            if not store.change(session, environment_id, new.key, new.data, self._now()):
                raise NotFound(f"Context with type '{new.type}' and id '{new.id}' not found", "context_not_found")
            changed = self._find(session, environment_id, new.type, new.id)
            self._record(session, ChangeKind.CONTEXT_UPDATED, caller, new.key)
            before_commit(session, changed)
        return changed

    def remove(self, caller: ApiCaller, kind: str, name: str) -> None:
        """Delete a context. Raises NotFound, and Conflict while connections refer to it."""
        environment_id = caller.environment.id
        with self._database.transaction() as session:
            # Deleted first, then counted: a connection that is created at the same time is either counted or creates
            # the context again.
            if not store.remove(session, environment_id, kind, name):
                raise _unknown(environment_id, kind, name)
            used = connections.count_of_context(session, environment_id, f"{kind}:{name}")
            if used:
                raise Conflict(
                    f"Context with type '{kind}' and id '{name}' is used by {used} channel "
                    f"connection{'s' if used > 1 else ''}. Delete them first.",
                    "context_in_use",
                )
            self._record(session, ChangeKind.CONTEXT_DELETED, caller, f"{kind}:{name}")

    def _record(self, session: Session, kind: ChangeKind, caller: ApiCaller, key: str) -> None:
        changes.record(session, Change(kind, caller.actor, self._now(), caller.environment.id, key))

    def _find(self, session: Session, environment_id: str, kind: str, name: str) -> Context:
        row = store.find(session, environment_id, kind, name)
        if row is None:
            raise _unknown(environment_id, kind, name)
        return _context(row)


def _unknown(environment_id: str, kind: str, name: str) -> NotFound:
    return NotFound(
        f"Context with id '{name}' and type '{kind}' not found in environment {environment_id}", "context_not_found"
    )


def _context(row: store.Context) -> Context:
    return Context(row.type, row.id, json.loads(row.data), row.created_at, row.updated_at)
