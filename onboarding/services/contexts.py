"""Contexts: what connections refer to besides people, with the host's data (contract.md A3, C2.1)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.store import connections, pagination
from onboarding.store import contexts as store
from onboarding.store.database import BeforeCommit, Database, Session


@dataclass(frozen=True)
class Context:
    type: str
    id: str
    data: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


class Contexts:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def create(
        self, environment_id: str, kind: str, name: str, data: Mapping[str, Any], before_commit: BeforeCommit
    ) -> Context:
        """Raises Conflict (`context_exists`)."""
        with self._database.transaction() as session:
            if not store.add(session, environment_id, f"{kind}:{name}", data, self._now()):
                raise Conflict(f"Context with type '{kind}' and id '{name}' already exists", "context_exists")
            made = self._find(session, environment_id, kind, name)
            before_commit(session, made)
        return made

    def retrieve(self, environment_id: str, kind: str, name: str) -> Context:
        """Raises NotFound."""
        with self._database.reading() as session:
            return self._find(session, environment_id, kind, name)

    def list(self, environment_id: str, ask: PageRequest, wanted: Mapping[str, str]) -> Page[Context]:
        request = pagination.store_page_request("contexts", environment_id, ask)
        with self._database.reading() as session:
            page_rows = store.page(session, environment_id, request, wanted)
            total = store.count(session, environment_id, wanted, COUNT_CAP + 1)
        return pagination.page_of(request, page_rows, total, COUNT_CAP, _context)

    def change(
        self, environment_id: str, kind: str, name: str, data: Mapping[str, Any], before_commit: BeforeCommit
    ) -> Context:
        """Replaces the data, whole. Raises NotFound."""
        with self._database.transaction() as session:
            if not store.change(session, environment_id, kind, name, data, self._now()):
                raise NotFound(f"Context with type '{kind}' and id '{name}' not found", "context_not_found")
            changed = self._find(session, environment_id, kind, name)
            before_commit(session, changed)
        return changed

    def remove(self, environment_id: str, kind: str, name: str) -> None:
        """Raises NotFound, and Conflict while connections refer to it."""
        with self._database.transaction() as session:
            # First it goes, then it is counted: who makes a connection with it at this moment is seen, or makes it anew.
            if not store.remove(session, environment_id, kind, name):
                raise _unknown(environment_id, kind, name)
            used = connections.count_of_context(session, environment_id, f"{kind}:{name}")
            if used:
                raise Conflict(
                    f"Context with type '{kind}' and id '{name}' is used by {used} channel "
                    f"connection{'s' if used > 1 else ''}. Delete them first.",
                    "context_in_use",
                )

    def _find(self, session: Session, environment_id: str, kind: str, name: str) -> Context:
        row = store.find(session, environment_id, kind, name)
        if row is None:
            raise _unknown(environment_id, kind, name)
        return _context(row)


def _unknown(environment_id: str, kind: str, name: str) -> NotFound:
    return NotFound(
        f"Context with id '{name}' and type '{kind}' not found in environment {environment_id}", "context_not_found"
    )


def _context(row: Any) -> Context:
    return Context(row.type, row.id, json.loads(row.data), row.created_at, row.updated_at)
