"""InstallConnector: store what Slack granted, as installation, connection and channel endpoints."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding import changes, ids
from onboarding.changes import Change, ChangeKind
from onboarding.events import EventDetails
from onboarding.outcomes import ConnectionStatus
from onboarding.services.installations import Installations
from onboarding.services.installs.endpoints import InstalledConnection, InstallEndpoints
from onboarding.services.installs.granted import LockedInstall
from onboarding.services.installs.grants import Grants
from onboarding.services.installs.records import actor_of
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import connection_changes, connections, contexts, installations, subscribers


@dataclass(frozen=True)
class Sealers:
    """The collaborators that encrypt what an install stores, and erase what it replaces."""

    tokens: Tokens
    grants: Grants
    installations: Installations
    endpoints: InstallEndpoints


class InstallConnector:
    """Stores one granted install, in the transaction that completes it."""

    def __init__(self, install: LockedInstall, sealers: Sealers) -> None:
        self._install, self._sealers = install, sealers

    def connect(self, at: datetime) -> str:
        """Return the connection's identifier. Raises Conflict."""
        connection_id, identifier = self._connect(self._store_installation(at), at)
        self._store_endpoints(connection_id, at)
        self._record(identifier, at)
        return identifier

    def _store_installation(self, at: datetime) -> str:
        """Store Slack's grant and return the installation's id. Raises Conflict if a concurrent install added it."""
        grant, is_new = self._install.grant, self._install.installation is None
        row_id = self._install.installation.id if self._install.installation is not None else ids.new_id("ins")
        expires_at = at + timedelta(seconds=grant.expires_in) if grant.expires_in else None
        values = {
            **self._sealers.tokens.sealed(row_id, grant.access_token, grant.refresh_token, expires_at, at),
            "app_id": grant.app_id,
            "bot_user_id": grant.bot_user_id,
            "scopes": ",".join(grant.scopes),
            "installer_id": grant.installer_id,
            "token_since": at,
            # A refresh in progress belongs to the token that this grant replaces.
            "refresh_claimed_at": None,
        }
        if is_new:
            integration = self._install.integration
            keys = {"integration_id": integration.id, "slack_key": grant.slack_key}
            installations.add(
                self._install.rows, id=row_id, environment_id=integration.environment_id, **keys, **values
            )
        else:
            installations.change(self._install.rows, row_id, **values)
        return row_id

    def _connect(self, installation_id: str, at: datetime) -> tuple[str, str]:
        """Add or renew the connection and return its id and its identifier. Raises Conflict."""
        grant = self._install.grant
        access: dict[str, object] = {
            "workspace_id": grant.workspace_id,
            "workspace_name": grant.workspace_name,
            "bot_user_id": grant.bot_user_id,
            "status": ConnectionStatus.HEALTHY,
            "status_reason": None,
            "checked_at": at,
        }
        if self._install.installation is not None:
            # The other connections of the workspace use the same token.
            connection_changes.change_all_on(self._install.rows, installation_id, access)
        values = {
            "installation_id": installation_id,
            "installed_by": grant.installer_id,
            "updated_at": at,
            **access,
        }
        return self._add(values, at) if self._install.existing is None else self._renew(values, at)

    def _add(self, values: dict[str, object], at: datetime) -> tuple[str, str]:
        environment_id, choice = self._install.attempt.environment_id, self._install.choice
        subscriber_id = choice.subscriber_id if choice.mode == "subscriber" else None
        if subscriber_id:
            subscribers.remember(self._install.rows, environment_id, subscriber_id, at)
        contexts.remember(self._install.rows, environment_id, choice.context_keys, at)
        row_id, identifier = ids.new_id("con"), self._free_identifier()
        connection_changes.add(
            self._install.rows,
            choice.context_keys,
            id=row_id,
            environment_id=environment_id,
            identifier=identifier,
            integration_id=self._install.integration.id,
            identity_key=self._install.key,
            mode=choice.mode,
            subscriber_id=subscriber_id,
            created_at=at,
            **values,
        )
        return row_id, identifier

    def _renew(self, values: dict[str, object], at: datetime) -> tuple[str, str]:
        existing = self._install.existing
        if existing is None:
            raise LookupError("There is no connection to renew.")
        if existing.workspace_id != values["workspace_id"]:
            # The result page names the workspace that was replaced.
            replaced = {
                "expected_workspace_id": existing.workspace_id,
                "expected_workspace_name": existing.workspace_name,
            }
            self._install.move(**replaced)
        connection_changes.change(self._install.rows, existing.id, **values)
        if existing.installation_id not in (None, values["installation_id"]):
            actor = actor_of(self._install.attempt)
            self._sealers.installations.erase_unused(self._install.rows, [existing.installation_id], at, actor)
        return existing.id, existing.identifier

    def _store_endpoints(self, connection_id: str, at: datetime) -> None:
        """Store what Slack granted beside the token: channel endpoints, which belong to subscribers."""
        attempt, choice, grant = self._install.attempt, self._install.choice, self._install.grant
        if choice.mode != "subscriber" or choice.subscriber_id is None:
            return
        connected = InstalledConnection(
            attempt.environment_id,
            self._install.integration.id,
            connection_id,
            choice.subscriber_id,
            choice.context_keys,
            actor_of(attempt),
            at,
        )
        endpoints = self._sealers.endpoints
        if self._install.existing is not None and self._install.existing.workspace_id != grant.workspace_id:
            endpoints.remove(self._install.rows, connected)
        if grant.webhook is not None:
            endpoints.put_webhook(self._install.rows, connected, grant.webhook)
        # An approval does not link: the admin who installs is not the subscriber.
        if self._install.link is not None and self._install.link.auto_link_user and grant.installer_id is not None:
            endpoints.link_user(self._install.rows, connected, grant.installer_id)

    def _free_identifier(self) -> str:
        """Return the identifier that an API caller requested for the connection if it is still free, else a new one."""
        rows, link, environment_id = self._install.rows, self._install.link, self._install.attempt.environment_id
        requested = link.connection_identifier if link else None
        if requested and not connections.has_identifier(rows, environment_id, requested):
            return requested
        return ids.connection_identifier()

    def _record(self, identifier: str, at: datetime) -> None:
        kind = ChangeKind.CONNECTION_RECONNECTED if self._install.existing else ChangeKind.CONNECTION_CONNECTED
        change = Change(
            kind,
            actor_of(self._install.attempt),
            at,
            self._install.attempt.environment_id,
            identifier,
            subject_name=self._install.grant.workspace_name,
            detail=self._install.grant.workspace_id,
            event=self._event_details(),
        )
        changes.record(self._install.rows, change)

    def _event_details(self) -> EventDetails:
        existing, grant, link = self._install.existing, self._install.grant, self._install.link
        previous: dict[str, object] = {}
        if existing is not None and existing.workspace_id != grant.workspace_id:
            previous["workspace"] = {"id": existing.workspace_id, "name": existing.workspace_name}
        if existing is not None and existing.status is not ConnectionStatus.HEALTHY:
            previous["status"] = existing.status
        return EventDetails("installed", previous=previous, reference=link.reference if link else None)
