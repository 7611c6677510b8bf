"""Completion: Slack's grant and the person's choice become a connection, in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from onboarding import changes, ids
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Conflict, Refused
from onboarding.outcomes import ConnectionStatus, Outcome
from onboarding.services.installs import records, rights
from onboarding.services.installs.endpoints import InstalledConnection, InstallEndpoints
from onboarding.services.installs.grants import Grants
from onboarding.services.installs.records import Choice, actor_of
from onboarding.services.tokens import Tokens
from onboarding.slack.faults import operator_hint
from onboarding.slack.grants import Grant
from onboarding.store import (
    attempts,
    connection_changes,
    connections,
    contexts,
    erasure,
    installations,
    installs,
    links,
    subscribers,
)
from onboarding.store.attempts import Stage
from onboarding.store.database import Database, Rows
from onboarding.store.installs import AttemptRows
from onboarding.store.links import LinkRow

_LOG = structlog.get_logger(__name__)
#: Each conflict with another install is found in the next try: its installation, its connection, its use of the link.
_TRIES = 5
#: Outcomes that leave the grant unused.
REFUSALS = (
    Outcome.WORKSPACE_TAKEN,
    Outcome.LINK_USED,
    Outcome.LINK_REVOKED,
    Outcome.OPERATOR_DENIED,
    Outcome.CONFIG_ERROR,
)


@dataclass(frozen=True)
class GrantedInstall:
    """A grant for an attempt, and the customer that the connection is for."""

    attempt_id: str
    #: The stage that the attempt must still be in.
    stage: Stage
    grant: Grant
    choice: Choice
    #: The person has confirmed that this workspace replaces the expected one.
    is_confirmed: bool = False


@dataclass(frozen=True)
class Sealers:
    """The collaborators that encrypt what an install stores."""

    tokens: Tokens
    grants: Grants
    endpoints: InstallEndpoints


class InstallCompleter:
    def __init__(self, database: Database, sealers: Sealers, now: Clock) -> None:
        self._database, self._sealers, self._now = database, sealers, now

    def complete(self, granted: GrantedInstall) -> Outcome:
        """Turn a grant into the attempt's outcome.

        Returns the stored outcome if the attempt has left its stage. Raises Refused with the field's name for an open
        link and an identity that has a connection, and StorageProblem.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._try(granted)
            except Conflict:
                # A concurrent transaction has changed what this one had read. The next try reads it again.
                continue
        return self._try(granted)

    def _try(self, granted: GrantedInstall) -> Outcome:
        with self._database.changing_rows() as rows:
            found = installs.attempt_to_complete(rows, granted.attempt_id)
            if found is None or found.attempt.stage is not granted.stage:
                return (found.attempt.outcome if found else None) or Outcome.STATE_EXPIRED
            return _Completion(rows, found, granted, self._sealers).run(self._now())


class _Completion:
    """One try to complete one attempt, in the caller's transaction.

    Rows are locked in the same order everywhere: integration (shared), installation, connection, link, then the rows
    that are added. Installs of different customers lock nothing of each other unless they share workspace, identity or
    link; no install waits for another's row in the opposite order.
    """

    def __init__(self, rows: Rows, found: AttemptRows, granted: GrantedInstall, sealers: Sealers) -> None:
        self._rows, self._found, self._granted, self._sealers = rows, found, granted, sealers
        self._attempt, self._integration = found.attempt, found.integration
        self._link, self._parent = found.link, found.parent
        self._grant, self._choice = granted.grant, granted.choice
        self._key = self._choice.identity_key(self._integration.id)
        # Installs of one workspace wait here for each other.
        self._installation = installations.lock_by_slack_key(rows, self._integration.id, self._grant.slack_key)
        self._existing = connections.lock_of_identity(rows, self._attempt.environment_id, self._key)

    def run(self, at: datetime) -> Outcome:
        """Raises Conflict if a concurrent transaction has changed what this one has read, Refused."""
        ended = rights.ended_by(self._rows, self._found)
        if ended is None and any(link.revoked_at is not None for link in self._links):
            ended = Outcome.LINK_REVOKED
        if ended is not None:
            return self._finish(ended, at)
        if not self._grant.is_bot and self._needs_bot():
            log_config_error(self._attempt.id, "user_token_only")
            return self._finish(Outcome.CONFIG_ERROR, at, detail="user_token_only")
        self._check_open_link()
        if self._is_unexpected_workspace():
            return self._ask_which_workspace(at)
        if self._is_workspace_taken():
            return self._finish(Outcome.WORKSPACE_TAKEN, at)
        if not all(self._use(link, at) for link in self._links):
            return self._finish(Outcome.LINK_USED, at)
        connection_id, identifier = self._connect(self._store_installation(at), at)
        self._store_endpoints(connection_id, at)
        self._record(identifier, at)
        missing = ",".join(sorted(self._missing_scopes))
        connected = {"connection_identifier": identifier, "identity_key": self._key, "missing_scopes": missing}
        return self._finish(self._success(), at, **connected)

    @cached_property
    def _links(self) -> tuple[LinkRow, ...]:
        """The link, after the one it was created from: if that one is used, the approval stays unused."""
        return tuple(link for link in (self._parent, self._link) if link is not None)

    @cached_property
    def _missing_scopes(self) -> set[str]:
        return set(self._attempt.scopes.split(",")) - set(self._grant.scopes)

    @property
    def _expected_workspace_id(self) -> str | None:
        return self._attempt.expected_workspace_id or (self._existing.workspace_id if self._existing else None)

    def _needs_bot(self) -> bool:
        """Several people may use a shared connection or an installation that has a bot: one person's token is not enough."""
        installation = self._installation
        return self._choice.mode == "shared" or (installation is not None and installation.bot_user_id is not None)

    def _check_open_link(self) -> None:
        """Raises Refused if the holder of an open link chose an identity that has a connection."""
        if self._existing is not None and self._link is not None and self._link.is_open:
            field = "subscriber_id" if self._choice.mode == "subscriber" else "contexts"
            raise Refused("This is connected already. This link can only connect something new.", field)

    def _is_unexpected_workspace(self) -> bool:
        may_be_another = self._granted.is_confirmed or self._attempt.may_replace
        return not may_be_another and self._expected_workspace_id not in (None, self._grant.workspace_id)

    def _is_workspace_taken(self) -> bool:
        """Two installs of one workspace lock its installation, or one of them fails to add it and tries again."""
        if self._integration.workspace_policy != "refuse":
            return False
        return connections.held_by_another(self._rows, self._integration.id, self._grant.workspace_id, self._key)

    def _use(self, link: LinkRow, at: datetime) -> bool:
        """Mark the link as used, or return whether it may be used again.

        The browser that used it may renew what it connected. An attempt that was in progress when another one used the
        link may not replace the workspace. Raises Conflict.
        """
        if link.used_at is None:
            if not links.mark_used(self._rows, link.id, self._attempt.id, self._key, at):
                raise Conflict("Another install used the link, or someone revoked it.")
            return True
        if link.used_identity_key != self._key:
            return False
        keeps_workspace = self._existing is not None and self._existing.workspace_id == self._grant.workspace_id
        return link.used_at <= self._attempt.created_at or keeps_workspace

    def _store_installation(self, at: datetime) -> str:
        """Store Slack's grant and return the installation's id. Raises Conflict if a concurrent install added it."""
        grant, is_new = self._grant, self._installation is None
        row_id = self._installation.id if self._installation is not None else ids.new_id("ins")
        expires_at = at + timedelta(seconds=grant.expires_in) if grant.expires_in else None
        values = {
            **self._sealers.tokens.sealed(row_id, grant.access_token, grant.refresh_token, expires_at),
            "app_id": grant.app_id,
            "bot_user_id": grant.bot_user_id,
            "scopes": ",".join(grant.scopes),
            "installer_id": grant.installer_id,
            "installed_at": at,
            # A refresh in progress belongs to the token that this grant replaces.
            "refresh_claimed_at": None,
        }
        if is_new:
            integration = self._integration
            keys = {"integration_id": integration.id, "slack_key": grant.slack_key}
            installations.add(self._rows, id=row_id, environment_id=integration.environment_id, **keys, **values)
        else:
            installations.change(self._rows, row_id, **values)
        return row_id

    def _connect(self, installation_id: str, at: datetime) -> tuple[str, str]:
        """Add or renew the connection and return its id and its identifier. Raises Conflict."""
        grant = self._grant
        access: dict[str, object] = {
            "workspace_id": grant.workspace_id,
            "workspace_name": grant.workspace_name,
            "bot_user_id": grant.bot_user_id,
            "status": ConnectionStatus.HEALTHY,
            "status_reason": None,
            "checked_at": at,
        }
        if self._installation is not None:
            # The other connections of the workspace use the same token.
            connection_changes.change_all_on(self._rows, installation_id, **access)
        values = {
            "installation_id": installation_id,
            "installed_by": grant.installer_id,
            "updated_at": at,
            **access,
        }
        return self._add(values, at) if self._existing is None else self._renew(values, at)

    def _add(self, values: dict[str, object], at: datetime) -> tuple[str, str]:
        environment_id, choice = self._attempt.environment_id, self._choice
        subscriber_id = choice.subscriber_id if choice.mode == "subscriber" else None
        if subscriber_id:
            subscribers.remember(self._rows, environment_id, subscriber_id, at)
        contexts.remember(self._rows, environment_id, choice.context_keys, at)
        row_id, identifier = ids.new_id("con"), self._free_identifier()
        connection_changes.add(
            self._rows,
            choice.context_keys,
            id=row_id,
            environment_id=environment_id,
            identifier=identifier,
            integration_id=self._integration.id,
            identity_key=self._key,
            mode=choice.mode,
            subscriber_id=subscriber_id,
            created_at=at,
            **values,
        )
        return row_id, identifier

    def _renew(self, values: dict[str, object], at: datetime) -> tuple[str, str]:
        existing = self._existing
        if existing is None:
            raise LookupError("Only an existing connection is renewed.")
        if existing.workspace_id != values["workspace_id"]:
            # The result page names the workspace that was replaced.
            replaced = {
                "expected_workspace_id": existing.workspace_id,
                "expected_workspace_name": existing.workspace_name,
            }
            self._move(**replaced)
        connection_changes.change(self._rows, existing.id, **values)
        if existing.installation_id != values["installation_id"]:
            # Skips an installation that another transaction has locked to attach a connection.
            erasure.erase_orphaned_installations(self._rows, [existing.installation_id], at)
        return existing.id, existing.identifier

    def _store_endpoints(self, connection_id: str, at: datetime) -> None:
        """Store what Slack granted beside the token. Channel endpoints belong to subscribers, so shared mode has none."""
        attempt, choice, grant = self._attempt, self._choice, self._grant
        if choice.mode != "subscriber" or choice.subscriber_id is None:
            return
        connected = InstalledConnection(
            attempt.environment_id,
            self._integration.id,
            connection_id,
            choice.subscriber_id,
            choice.context_keys,
            actor_of(attempt),
            at,
        )
        endpoints = self._sealers.endpoints
        if self._existing is not None and self._existing.workspace_id != grant.workspace_id:
            endpoints.remove(self._rows, connected)
        if grant.webhook is not None:
            endpoints.put_webhook(self._rows, connected, grant.webhook)
        # An approval does not link: the admin who installs is not the subscriber.
        if self._link is not None and self._link.auto_link_user and grant.installer_id is not None:
            endpoints.link_user(self._rows, connected, grant.installer_id)

    def _free_identifier(self) -> str:
        """Return the identifier that an API caller requested for the connection if it is still free, else a new one."""
        requested = self._link.connection_identifier if self._link else None
        if requested and not connections.has_identifier(self._rows, self._attempt.environment_id, requested):
            return requested
        return ids.connection_identifier()

    def _record(self, identifier: str, at: datetime) -> None:
        kind = ChangeKind.CONNECTION_RECONNECTED if self._existing else ChangeKind.CONNECTION_CONNECTED
        change = Change(
            kind,
            actor_of(self._attempt),
            at,
            self._attempt.environment_id,
            identifier,
            subject_name=self._grant.workspace_name,
            detail=self._grant.workspace_id,
        )
        changes.record(self._rows, change)

    def _success(self) -> Outcome:
        if self._existing is not None:
            return Outcome.RECONNECTED
        # An organization's admin has to add the app to workspaces first, so this is more urgent than missing
        # permissions.
        if self._grant.is_enterprise_install:
            return Outcome.ORG_INSTALLED
        return Outcome.PARTIAL_PERMISSIONS if self._missing_scopes else Outcome.CONNECTED

    def _ask_which_workspace(self, at: datetime) -> Outcome:
        """Keep the grant: nothing is replaced until the person confirms it."""
        attempt, existing = self._attempt, self._existing
        expires_at = at + records.LIFETIME if self._granted.stage is Stage.EXCHANGING else attempt.expires_at
        self._move(
            stage=Stage.WAITING,
            outcome=Outcome.WRONG_WORKSPACE,
            expires_at=expires_at,
            waiting_grant=self._sealers.grants.seal(attempt.id, self._grant),
            choice=self._choice.as_json(),
            connection_identifier=existing.identifier if existing else None,
            workspace_id=self._grant.workspace_id,
            workspace_name=self._grant.workspace_name,
            expected_workspace_id=self._expected_workspace_id,
            expected_workspace_name=attempt.expected_workspace_name or (existing.workspace_name if existing else None),
        )
        return Outcome.WRONG_WORKSPACE

    def _finish(self, outcome: Outcome, at: datetime, **values: str) -> Outcome:
        finished: dict[str, object] = {
            "stage": Stage.FINISHED,
            "outcome": outcome,
            "finished_at": at,
            "waiting_grant": None,
            "workspace_id": self._grant.workspace_id,
            "workspace_name": self._grant.workspace_name,
            "connection_identifier": None,
            "identity_key": None,
            "missing_scopes": "",
            "detail": None,
        }
        self._move(**finished | values)
        return outcome

    def _move(self, **values: object) -> None:
        """Raises Conflict if the attempt has left its stage, for example because it took too long."""
        if not attempts.move(self._rows, self._attempt.id, self._granted.stage, **values):
            raise Conflict("The attempt has ended.")


def log_config_error(attempt_id: str, code: str) -> None:
    """Report a configuration error to operators in the log. `code` is Slack's error code or one of ours (`slack.faults`)."""
    _LOG.error("install.refused", attempt=attempt_id, word=code, hint=operator_hint(code))
