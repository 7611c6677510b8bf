"""Channel endpoints: where in Slack something arrives (contract.md A3, C2.4)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onboarding import identity, ids
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, unknown_integration, unknown_subscriber
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.store import channel_endpoints as store
from onboarding.store import connections, contexts, integrations, pagination, subscribers
from onboarding.store.channel_endpoints import EndpointFilter
from onboarding.store.database import BeforeCommit, Database, Session
from onboarding.vault import SealedAt, Vault


@dataclass(frozen=True)
class Endpoint:
    identifier: str
    integration_identifier: str
    connection_identifier: str | None
    subscriber_id: str
    context_keys: tuple[str, ...]
    type: str
    #: A webhook's address is as good as a password.
    endpoint: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class NewEndpoint:
    integration_identifier: str
    subscriber_id: str
    type: str
    endpoint: Mapping[str, Any] = field(repr=False)
    identifier: str | None = None
    connection_identifier: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    #: None leaves it to the environment.
    create_subscriber: bool | None = None


@dataclass(frozen=True)
class EndpointQuery:
    """What a list is narrowed to; None does not narrow."""

    subscriber_id: str | None = None
    channel: str | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    connection_identifier: str | None = None
    context_keys: tuple[str, ...] | None = None


class Endpoints:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def create(
        self,
        environment_id: str,
        environment_name: str,
        creates_subscribers: bool,
        wish: NewEndpoint,
        before_commit: BeforeCommit,
    ) -> Endpoint:
        """Raises NotFound (integration, subscriber, connection), Conflict (`endpoint_exists`)."""
        identifier, row_id, at = wish.identifier or ids.endpoint_identifier(), ids.new_id("end"), self._now()
        try:
            with self._database.transaction() as session:
                integration_id = integrations.shared_id_of(session, environment_id, wish.integration_identifier)
                if integration_id is None:
                    raise unknown_integration(wish.integration_identifier)
                if creates_subscribers if wish.create_subscriber is None else wish.create_subscriber:
                    subscribers.remember(session, environment_id, wish.subscriber_id, at)
                elif not subscribers.hold(session, environment_id, wish.subscriber_id):
                    raise unknown_subscriber(wish.subscriber_id)
                contexts.remember(session, environment_id, wish.contexts, at)
                keys = tuple(wish.contexts)
                store.add(
                    session,
                    id=row_id,
                    environment_id=environment_id,
                    identifier=identifier,
                    integration_id=integration_id,
                    connection_id=self._connection_id(session, environment_id, integration_id, wish),
                    subscriber_id=wish.subscriber_id,
                    context_keys=json.dumps(keys),
                    context_digest=identity.context_digest(keys),
                    type=wish.type,
                    endpoint=self._vault.seal(json.dumps(wish.endpoint), _place(row_id)),
                    created_at=at,
                    updated_at=at,
                )
                made = self._find(session, environment_id, identifier)
                before_commit(session, made)
        except Conflict as conflict:
            if conflict.code != Conflict.code:
                raise
            sentence = (
                f'Channel endpoint with identifier "{identifier}" already exists in environment "{environment_name}"'
            )
            raise Conflict(sentence, "endpoint_exists") from None
        return made

    def retrieve(self, environment_id: str, identifier: str) -> Endpoint:
        """Raises NotFound."""
        with self._database.reading() as session:
            return self._find(session, environment_id, identifier)

    def list(self, environment_id: str, ask: PageRequest, query: EndpointQuery) -> Page[Endpoint]:
        request = pagination.store_page_request("endpoints", environment_id, ask)
        if query.channel not in (None, "chat") or query.provider_id not in (None, "slack"):
            return Page((), None, None, 0, False)
        with self._database.reading() as session:
            integration_id: str | None = None
            if query.integration_identifier is not None:
                found = integrations.by_identifier(session, environment_id, query.integration_identifier)
                integration_id = found.id if found else "none"
            wanted = EndpointFilter(
                integration_id,
                query.subscriber_id,
                None if query.context_keys is None else identity.context_digest(query.context_keys),
                query.connection_identifier,
            )
            page_rows = store.page(session, environment_id, request, wanted)
            total = store.count(session, environment_id, wanted, COUNT_CAP + 1)
        return pagination.page_of(request, page_rows, total, COUNT_CAP, self._endpoint)

    def change(
        self,
        environment_id: str,
        environment_name: str,
        identifier: str,
        form: Callable[[str], Mapping[str, Any]],
        before_commit: BeforeCommit,
    ) -> Endpoint:
        """Replaces the endpoint, whose type stays. `form` makes one of that type. Raises NotFound, and what `form` raises."""
        with self._database.transaction() as session:
            row = store.find(session, environment_id, identifier)
            if row is None:
                sentence = (
                    f'Channel endpoint with identifier "{identifier}" not found in environment "{environment_name}"'
                )
                raise NotFound(sentence, "endpoint_not_found")
            sealed = self._vault.seal(json.dumps(form(row.type)), _place(row.id))
            store.change(session, row.id, sealed, self._now())
            changed = self._find(session, environment_id, identifier)
            before_commit(session, changed)
        return changed

    def remove(self, environment_id: str, identifier: str) -> None:
        """Raises NotFound."""
        with self._database.transaction() as session:
            if not store.remove(session, environment_id, identifier):
                raise _unknown(identifier)

    def _connection_id(
        self, session: Session, environment_id: str, integration_id: str, wish: NewEndpoint
    ) -> str | None:
        if wish.connection_identifier is None:
            return None
        found = connections.by_identifier(session, environment_id, wish.connection_identifier)
        if found is None or found.integration_id != integration_id:
            raise NotFound(f"Channel connection not found: {wish.connection_identifier}", "connection_not_found")
        return found.id

    def _find(self, session: Session, environment_id: str, identifier: str) -> Endpoint:
        row = store.find(session, environment_id, identifier)
        if row is None:
            raise _unknown(identifier)
        return self._endpoint(row)

    def _endpoint(self, row: Any) -> Endpoint:
        return Endpoint(
            identifier=row.identifier,
            integration_identifier=row.integration_identifier,
            connection_identifier=row.connection_identifier,
            subscriber_id=row.subscriber_id,
            context_keys=tuple(json.loads(row.context_keys)),
            type=row.type,
            endpoint=json.loads(self._vault.open(row.endpoint, _place(row.id))),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _unknown(identifier: str) -> NotFound:
    return NotFound(f"Channel endpoint with identifier '{identifier}' not found", "endpoint_not_found")


def _place(row_id: str) -> SealedAt:
    return SealedAt("channel_endpoints", "endpoint", row_id)
