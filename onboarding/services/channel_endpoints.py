"""Channel endpoints: a channel, user or webhook in Slack that a host delivers to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from onboarding import changes, identity, ids
from onboarding.before_commit import BeforeCommit
from onboarding.callers import ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.documents import CHANNEL, PROVIDER_ID, ChannelEndpoint, timestamp
from onboarding.errors import Conflict, NotFound, VaultProblem, unknown_integration
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.services.credential_audit import CredentialAudit, CredentialKind
from onboarding.store import channel_endpoints as store
from onboarding.store import connections, contexts, integration_locks, integrations, pagination, subscribers
from onboarding.store.channel_endpoints import EndpointFilter
from onboarding.store.database import Database, Session
from onboarding.vault import SealedAt, Vault

#: By type: the member that every target has.
_MEMBERS = {"slack_channel": "channelId", "slack_user": "userId", "webhook": "url"}
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NewEndpoint:
    integration_identifier: str
    subscriber_id: str
    type: str
    endpoint: Mapping[str, Any] = field(repr=False)
    identifier: str | None = None
    connection_identifier: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    #: None for the environment's setting.
    create_subscriber: bool | None = None


@dataclass(frozen=True)
class EndpointQuery:
    """The filters of the list. None does not filter."""

    subscriber_id: str | None = None
    channel: str | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    connection_identifier: str | None = None
    context_keys: tuple[str, ...] | None = None


class Endpoints:
    def __init__(self, database: Database, vault: Vault, credential_audit: CredentialAudit, now: Clock) -> None:
        self._database, self._vault, self._credential_audit, self._now = database, vault, credential_audit, now

    def create(self, caller: ApiCaller, new: NewEndpoint, before_commit: BeforeCommit) -> ChannelEndpoint:
        """Create an endpoint.

        Raises NotFound (integration, subscriber, connection), Conflict (`endpoint_exists`).
        """
        environment_id = caller.environment.id
        identifier, row_id, at = new.identifier or ids.endpoint_identifier(), ids.new_id("end"), self._now()
        try:
            with self._database.transaction() as session:
                integration = integration_locks.share_named(session, environment_id, new.integration_identifier)
                if integration is None:
                    raise unknown_integration(new.integration_identifier)
                self._ensure_subscriber(session, caller.environment, new, at)
                contexts.remember(session, environment_id, new.contexts, at)
                keys = tuple(new.contexts)
                store.add(
                    session,
                    id=row_id,
                    environment_id=environment_id,
                    identifier=identifier,
                    integration_id=integration.id,
                    connection_id=self._connection_id(session, environment_id, integration.id, new),
                    subscriber_id=new.subscriber_id,
                    context_keys=json.dumps(keys),
                    context_digest=identity.context_digest(keys),
                    type=new.type,
                    endpoint=self._vault.seal(json.dumps(new.endpoint), _sealed_at(row_id)),
                    channel_id=new.endpoint.get("channelId"),
                    created_at=at,
                    updated_at=at,
                )
                created = self._find(session, environment_id, identifier)
                self._record(session, ChangeKind.ENDPOINT_CREATED, caller, identifier)
                before_commit(session, created)
        except Conflict as conflict:
            # A violated unique constraint has no code of its own.
            if conflict.has_own_code:
                raise
            known = f'Channel endpoint with identifier "{identifier}" already exists in environment'
            raise Conflict(f'{known} "{caller.environment.name}"', "endpoint_exists") from None
        return created

    def retrieve(self, caller: ApiCaller, identifier: str) -> ChannelEndpoint:
        """Return an endpoint, and record the read of a webhook's address that the caller may see.

        Raises NotFound, StorageProblem.
        """
        found = self._stored(caller.environment.id, identifier)
        if found.has_secret and caller.may_see_secrets:
            self._credential_audit.record(caller, CredentialKind.ENDPOINT, identifier)
        return found

    def webhook_url(self, caller: ApiCaller, identifier: str, created_at: str, updated_at: str) -> str:
        """Return the webhook's address for a repeated response with these timestamps, and record the read.

        Empty if the caller may not see it, or if the endpoint is gone or was changed since.
        """
        try:
            found = self._stored(caller.environment.id, identifier)
        except NotFound:
            return ""
        is_same = (timestamp(found.created_at), timestamp(found.updated_at)) == (created_at, updated_at)
        if not is_same or not caller.may_see_secrets:
            return ""
        self._credential_audit.record(caller, CredentialKind.ENDPOINT, identifier)
        return str(found.endpoint.get("url", ""))

    def list(self, caller: ApiCaller, request: PageRequest, query: EndpointQuery) -> Page[ChannelEndpoint]:
        """Return a page of endpoints, and record the read of webhooks' addresses that the caller may see.

        Raises Refused (`cursor_unknown`), StorageProblem.
        """
        environment_id = caller.environment.id
        store_request = pagination.store_page_request("endpoints", environment_id, request)
        # The documented API knows other channels and providers. No endpoint has them.
        if query.channel not in (None, CHANNEL) or query.provider_id not in (None, PROVIDER_ID):
            return Page((), None, None, 0, False)
        with self._database.reading() as session:
            wanted = EndpointFilter(
                integrations.filter_id(session, environment_id, query.integration_identifier),
                query.subscriber_id,
                None if query.context_keys is None else identity.context_digest(query.context_keys),
                query.connection_identifier,
            )
            page_rows = store.page(session, environment_id, store_request, wanted)
            total = store.count(session, environment_id, wanted, COUNT_CAP + 1)
        page = pagination.page_of(store_request, page_rows, total, COUNT_CAP, self._endpoint)
        if caller.may_see_secrets and any(one.has_secret for one in page.rows):
            self._credential_audit.record_list(caller, CredentialKind.ENDPOINT, query, page.total)
        return page

    def change(
        self,
        caller: ApiCaller,
        identifier: str,
        check: Callable[[str], Mapping[str, Any]],
        before_commit: BeforeCommit,
    ) -> ChannelEndpoint:
        """Replace the endpoint with what `check` returns for the stored type.

        Raises NotFound, and the exceptions of `check`.
        """
        environment_id = caller.environment.id
        with self._database.transaction() as session:
            row = store.find(session, environment_id, identifier)
            if row is None:
                missing = f'Channel endpoint with identifier "{identifier}" not found in environment'
                raise NotFound(f'{missing} "{caller.environment.name}"', "endpoint_not_found")
            target = check(row.type)
            sealed = self._vault.seal(json.dumps(target), _sealed_at(row.id))
            store.change(session, row.id, sealed, target.get("channelId"), self._now())
            changed = self._find(session, environment_id, identifier)
            self._record(session, ChangeKind.ENDPOINT_UPDATED, caller, identifier)
            before_commit(session, changed)
        return changed

    def remove(self, caller: ApiCaller, identifier: str) -> None:
        """Delete an endpoint. Raises NotFound."""
        with self._database.transaction() as session:
            if not store.remove(session, caller.environment.id, identifier):
                raise _unknown(identifier)
            self._record(session, ChangeKind.ENDPOINT_DELETED, caller, identifier)

    def _record(self, session: Session, kind: ChangeKind, caller: ApiCaller, identifier: str) -> None:
        changes.record(session, Change(kind, caller.actor, self._now(), caller.environment.id, identifier))

    def _stored(self, environment_id: str, identifier: str) -> ChannelEndpoint:
        with self._database.reading() as session:
            return self._find(session, environment_id, identifier)

    def _ensure_subscriber(
        self, session: Session, environment: CallerEnvironment, new: NewEndpoint, at: datetime
    ) -> None:
        """Lock the subscriber, and create it first if that is allowed. Raises NotFound."""
        creates = environment.creates_subscribers if new.create_subscriber is None else new.create_subscriber
        if creates:
            subscribers.remember(session, environment.id, new.subscriber_id, at)
        elif not subscribers.hold(session, environment.id, new.subscriber_id):
            raise _unknown_subscriber(new.subscriber_id)

    def _connection_id(
        self, session: Session, environment_id: str, integration_id: str, new: NewEndpoint
    ) -> str | None:
        if new.connection_identifier is None:
            return None
        # The token of another integration's connection cannot deliver for this one. Locked, because a disconnect
        # removes the connection together with its endpoints.
        found = connections.hold(session, environment_id, new.connection_identifier, integration_id)
        if found is None:
            raise NotFound(f"Channel connection not found: {new.connection_identifier}", "connection_not_found")
        return found

    def _find(self, session: Session, environment_id: str, identifier: str) -> ChannelEndpoint:
        row = store.find(session, environment_id, identifier)
        if row is None:
            raise _unknown(identifier)
        return self._endpoint(row)

    def _endpoint(self, row: store.EndpointRow) -> ChannelEndpoint:
        return ChannelEndpoint(
            identifier=row.identifier,
            integration_identifier=row.integration_identifier,
            connection_identifier=row.connection_identifier,
            subscriber_id=row.subscriber_id,
            context_keys=tuple(json.loads(row.context_keys)),
            type=row.type,
            endpoint=self._target(row),
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def _target(self, row: store.EndpointRow) -> Mapping[str, Any]:
        """Return the target; an empty one, and a log line, if it cannot be decrypted: a list shows the others."""
        try:
            found: Mapping[str, Any] = json.loads(self._vault.open(row.endpoint, _sealed_at(row.id)))
        except VaultProblem as problem:
            _LOG.error("endpoint.unreadable", endpoint=row.identifier, problem=problem.sentence)
            return {_MEMBERS[row.type]: ""}
        return found


def _unknown(identifier: str) -> NotFound:
    return NotFound(f"Channel endpoint with identifier '{identifier}' not found", "endpoint_not_found")


def _unknown_subscriber(subscriber_id: str) -> NotFound:
    sentence = (
        f"Subscriber not found: {subscriber_id}. Pass createSubscriberIfMissing: true to create it, or provision it via "
        "POST /v2/subscribers."
    )
    return NotFound(sentence, "subscriber_not_found")


def _sealed_at(row_id: str) -> SealedAt:
    return SealedAt("channel_endpoints", "endpoint", row_id)
