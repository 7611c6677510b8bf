"""InstallEndpoints: the channel endpoints that an install creates for its connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onboarding import changes, identity, ids
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.errors import VaultProblem
from onboarding.slack.grants import Webhook
from onboarding.store import channel_endpoints
from onboarding.store.channel_endpoints import StoredTarget
from onboarding.store.database import Rows
from onboarding.vault import SealedAt, Vault


@dataclass(frozen=True)
class InstalledConnection:
    """A connection that an install has created or renewed, with the install's actor and time."""

    environment_id: str
    integration_id: str
    connection_id: str
    subscriber_id: str
    context_keys: tuple[str, ...]
    actor: Actor
    at: datetime


@dataclass(frozen=True)
class _Target:
    """The target of an endpoint. `members` may contain a secret."""

    type: str
    members: Mapping[str, Any] = field(repr=False)
    channel_id: str | None = None


class InstallEndpoints:
    """Each connection has at most one webhook, and one endpoint for each Slack user, that installs created.

    The methods run in the caller's transaction, which has locked the connection.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def put_webhook(self, rows: Rows, connected: InstalledConnection, webhook: Webhook) -> None:
        """Store the webhook, or replace the address that an earlier install stored."""
        row_id = channel_endpoints.installed_id(connected.connection_id, "webhook")
        members = {"url": webhook.url, **({"channel": webhook.channel} if webhook.channel else {})}
        self._put(rows, connected, row_id, _Target("webhook", members, webhook.channel_id))

    def link_user(self, rows: Rows, connected: InstalledConnection, user_id: str) -> None:
        """Link a Slack user to the connection's subscriber, unless an endpoint of the connection names that user."""
        known = channel_endpoints.targets(rows, connected.connection_id, "slack_user")
        if any(self._is_for(user_id, one) for one in known):
            return
        row_id = channel_endpoints.installed_id(connected.connection_id, "user", user_id)
        self._put(rows, connected, row_id, _Target("slack_user", {"userId": user_id}))

    def remove(self, rows: Rows, connected: InstalledConnection) -> None:
        """Remove what earlier installs stored: it belongs to a workspace that the connection has left."""
        for identifier in channel_endpoints.remove_installed(rows, connected.connection_id):
            self._record(rows, ChangeKind.ENDPOINT_DELETED, connected, identifier)

    def _put(self, rows: Rows, connected: InstalledConnection, row_id: str, target: _Target) -> None:
        identifier = ids.endpoint_identifier()
        known = channel_endpoints.put(
            rows,
            id=row_id,
            environment_id=connected.environment_id,
            identifier=identifier,
            integration_id=connected.integration_id,
            connection_id=connected.connection_id,
            subscriber_id=connected.subscriber_id,
            context_keys=json.dumps(connected.context_keys),
            context_digest=identity.context_digest(connected.context_keys),
            type=target.type,
            endpoint=self._vault.seal(json.dumps(target.members), _sealed_at(row_id)),
            channel_id=target.channel_id,
            created_at=connected.at,
            updated_at=connected.at,
        )
        change = ChangeKind.ENDPOINT_UPDATED if known else ChangeKind.ENDPOINT_CREATED
        self._record(rows, change, connected, known or identifier)

    def _is_for(self, user_id: str, stored: StoredTarget) -> bool:
        try:
            target = json.loads(self._vault.open(stored.endpoint, _sealed_at(stored.id)))
        except VaultProblem:
            # It cannot be compared, and must not stop the install.
            return False
        return bool(target.get("userId") == user_id)

    def _record(self, rows: Rows, kind: ChangeKind, connected: InstalledConnection, identifier: str) -> None:
        changes.record(rows, Change(kind, connected.actor, connected.at, connected.environment_id, identifier))


def _sealed_at(row_id: str) -> SealedAt:
    return SealedAt("channel_endpoints", "endpoint", row_id)
