"""Webhook endpoints: the addresses at which a host gets events."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from onboarding import addresses, changes, events, hosts, ids
from onboarding.before_commit import BeforeCommit, add_nothing
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.characters import has_controls
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, Refused, VaultProblem
from onboarding.event_types import EventType
from onboarding.outgoing.addresses import Reach, may_reach
from onboarding.services.webhooks.records import EndpointChange, NewWebhookEndpoint, endpoint_of
from onboarding.services.webhooks.secrets import EndpointSecrets, new_secret
from onboarding.store import environments
from onboarding.store import webhook_endpoints as store
from onboarding.store.database import Database, Session
from onboarding.store.webhook_endpoints import EndpointRow, PauseReason
from onboarding.webhook_documents import WebhookEndpoint

MAX_ENDPOINTS = 20
_TOO_MANY = f"An environment has at most {MAX_ENDPOINTS} webhook endpoints. Delete one that you no longer need."
#: How long messages are signed with both secrets after a change.
BOTH_SECRETS = timedelta(hours=24)
_MAX_DESCRIPTION = 255


class WebhookEndpoints:
    def __init__(self, database: Database, secrets: EndpointSecrets, reach: Callable[[], Reach], now: Clock) -> None:
        self._database, self._secrets, self._reach, self._now = database, secrets, reach, now

    def create(
        self, environment_id: str, new: NewWebhookEndpoint, actor: Actor, before_commit: BeforeCommit = add_nothing
    ) -> WebhookEndpoint:
        """Create an endpoint and return it with its secret, which no later call returns. Raises Refused, Conflict."""
        self._check(new.url, new.events, new.description)
        endpoint_id, secret, at = ids.new_id("whe"), new_secret(), self._now()
        with self._database.transaction() as session:
            environments.lock(session, environment_id)
            if len(store.listeners(session, environment_id)) >= MAX_ENDPOINTS:
                raise Conflict(_TOO_MANY, "too_many_endpoints")
            store.add(
                session,
                id=endpoint_id,
                environment_id=environment_id,
                url=new.url,
                description=new.description,
                events=tuple(dict.fromkeys(new.events)),
                secret=self._secrets.seal(endpoint_id, secret),
                created_at=at,
                updated_at=at,
            )
            row = found_endpoint(session, environment_id, endpoint_id)
            created = self._shown(row, secret)
            self._record(session, ChangeKind.WEBHOOK_ADDED, row, actor)
            before_commit(session, created)
        return created

    def list(self, environment_id: str) -> tuple[WebhookEndpoint, ...]:
        """Return the environment's endpoints, the oldest first."""
        with self._database.rows() as rows:
            return tuple(map(self._shown, store.all_of(rows, environment_id)))

    def find(self, environment_id: str, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint without its secret. Raises NotFound."""
        with self._database.reading() as session:
            return self._shown(found_endpoint(session, environment_id, endpoint_id))

    def change(
        self,
        environment_id: str,
        endpoint_id: str,
        change: EndpointChange,
        actor: Actor,
        before_commit: BeforeCommit = add_nothing,
    ) -> WebhookEndpoint:
        """Change, pause or resume an endpoint. Raises NotFound, Refused."""
        with self._database.transaction() as session:
            row = found_endpoint(session, environment_id, endpoint_id)
            given = {"url": change.url, "events": change.events, "description": change.description}
            values = {name: value for name, value in given.items() if value is not None and value != getattr(row, name)}
            if values:
                self._check(**{name: values.get(name, getattr(row, name)) for name in given})
                store.change(session, endpoint_id, **values, updated_at=self._now())
                row = found_endpoint(session, environment_id, endpoint_id)
                self._record(session, ChangeKind.WEBHOOK_CHANGED, row, actor, ", ".join(values))
            if change.is_enabled is not None:
                self._enable(session, row, change.is_enabled, actor)
            changed = self._shown(found_endpoint(session, environment_id, endpoint_id))
            before_commit(session, changed)
        return changed

    def rotate_secret(
        self, environment_id: str, endpoint_id: str, actor: Actor, before_commit: BeforeCommit = add_nothing
    ) -> WebhookEndpoint:
        """Create a new secret for an endpoint, and return the endpoint with it.

        For `BOTH_SECRETS`, messages are also signed with the old secret, unless that cannot be decrypted. Raises
        NotFound.
        """
        secret, at = new_secret(), self._now()
        with self._database.transaction() as session:
            row = found_endpoint(session, environment_id, endpoint_id)
            old = self._readable(row)
            store.change(
                session,
                endpoint_id,
                secret=self._secrets.seal(endpoint_id, secret),
                previous_secret=self._secrets.seal(endpoint_id, old, is_previous=True) if old else None,
                previous_until=at + BOTH_SECRETS if old else None,
                updated_at=at,
            )
            self._record(session, ChangeKind.WEBHOOK_ROTATED, row, actor)
            changed = self._shown(found_endpoint(session, environment_id, endpoint_id), secret)
            before_commit(session, changed)
        return changed

    def remove(self, environment_id: str, endpoint_id: str, actor: Actor) -> None:
        """Remove an endpoint with its deliveries. Raises NotFound."""
        with self._database.transaction() as session:
            row = found_endpoint(session, environment_id, endpoint_id)
            self._record(session, ChangeKind.WEBHOOK_REMOVED, row, actor)
            store.remove(session, environment_id, endpoint_id)

    def test(self, environment_id: str, endpoint_id: str) -> str:
        """Send a test event, and return the delivery's id. Raises NotFound, Conflict for a paused endpoint."""
        with self._database.transaction() as session:
            running_endpoint(session, environment_id, endpoint_id)
            return events.test(session, environment_id, endpoint_id, self._now())

    def _shown(self, row: EndpointRow, secret: str | None = None) -> WebhookEndpoint:
        return endpoint_of(row, self._now(), secret)

    def _readable(self, row: EndpointRow) -> str | None:
        try:
            return self._secrets.open(row.id, row.secret)
        except VaultProblem:
            return None

    def _enable(self, session: Session, row: EndpointRow, is_enabled: bool, actor: Actor) -> None:
        at = self._now()
        if is_enabled and row.paused_at is not None:
            store.change(session, row.id, pause_reason=None, paused_at=None, failing_since=None, updated_at=at)
            self._record(session, ChangeKind.WEBHOOK_RESUMED, row, actor)
        elif not is_enabled and store.pause(session, row.id, PauseReason.REQUESTED, at):
            self._record(session, ChangeKind.WEBHOOK_PAUSED, row, actor, PauseReason.REQUESTED)

    def _record(self, session: Session, kind: ChangeKind, row: EndpointRow, actor: Actor, detail: str = "") -> None:
        host = addresses.host_of(row.url)
        changes.record(session, Change(kind, actor, self._now(), row.environment_id, row.id, host, detail=detail))

    def _check(self, url: str, events: tuple[str, ...], description: str) -> None:
        """Check an endpoint's address, events and description. Raises Refused."""
        try:
            addresses.page_origin(url)
        except ValueError as fault:
            raise Refused(f"url {fault}", "url") from None
        reach, parts = self._reach(), urlsplit(url)
        if parts.scheme != "https" and not reach.loopback:
            raise Refused("url must use https; http is for this computer, in practice mode", "url")
        if not _may_be_reached(parts.hostname or "", reach):
            raise Refused(
                "url must not lead to a private or reserved network; WEBHOOK_ALLOW_PRIVATE=on allows it", "url"
            )
        if unknown := [one for one in events if one not in set(EventType)]:
            known = ", ".join(EventType)
            raise Refused(f"events must not contain {unknown[0]!r}; known are {known}", "events")
        if len(description) > _MAX_DESCRIPTION or has_controls(description):
            raise Refused(
                f"description must have at most {_MAX_DESCRIPTION} characters and no control character", "description"
            )


def found_endpoint(session: Session, environment_id: str, endpoint_id: str) -> EndpointRow:
    """Return an endpoint. Raises NotFound."""
    row = store.find(session, environment_id, endpoint_id)
    if row is None:
        raise NotFound(code="webhook_endpoint_not_found", kind="Webhook endpoint", name=endpoint_id)
    return row


def running_endpoint(session: Session, environment_id: str, endpoint_id: str) -> EndpointRow:
    """Return an endpoint that is not paused. Raises NotFound, Conflict."""
    row = found_endpoint(session, environment_id, endpoint_id)
    if row.paused_at is not None:
        raise Conflict("The endpoint is paused. Resume it first.", "endpoint_paused")
    return row


def _may_be_reached(host: str, reach: Reach) -> bool:
    """Return False for an IP address that webhooks may not go to.

    A host name may be reached, unless it names this computer: the sender checks its addresses when it connects.
    """
    try:
        return may_reach(host, reach)
    except ValueError:
        return reach.loopback or not hosts.is_loopback(host)
