"""Handle a stored event once: one transaction stores its effect and that it was handled."""

from datetime import timedelta

import structlog

from onboarding.changes import ChangeKind
from onboarding.clock import Clock
from onboarding.errors import SlackBusy, SlackProblem, VaultProblem
from onboarding.events import EventDetails, name_changed
from onboarding.outgoing import queue
from onboarding.services.slack_events.access import AccessEnder
from onboarding.services.slack_events.channels import ChannelChanges
from onboarding.services.slack_events.effects import Effect, record
from onboarding.services.slack_events.receive import body_sealed_at, handle_work
from onboarding.services.slack_events.teams import TeamAccess
from onboarding.services.tokens.sealing import Tokens
from onboarding.slack import event_names, events
from onboarding.slack.gateway import Gateway
from onboarding.store import connection_changes, integration_locks, slack_events
from onboarding.store.database import Database
from onboarding.store.slack_events import SlackEvent
from onboarding.vault import Vault

_AGAIN_SECONDS = 30
_LOG = structlog.get_logger(__name__)


class StoredEvents:
    def __init__(self, database: Database, vault: Vault, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now
        self._ender = AccessEnder(database, tokens, gateway, now)
        self._teams = TeamAccess(database, tokens, gateway, now)
        self._channels = ChannelChanges(database, vault, now)

    def handle(self, event_row_id: str) -> None:
        """Apply an event. Does nothing if it was applied before; may run at the same time in several processes.

        If Slack has to be asked and does not answer, or the stored body cannot be decrypted, nothing changes, and the
        event is tried again later.
        """
        try:
            self._handle(event_row_id)
        except (SlackProblem, VaultProblem) as problem:
            _LOG.warning("slack.event_waits", event_row=event_row_id, problem=problem.code)
            wait = problem.retry_after if isinstance(problem, SlackBusy) else _AGAIN_SECONDS
            at = self._now()
            with self._database.changing_rows() as rows:
                if slack_events.postpone(rows, event_row_id, at, at + timedelta(seconds=wait)):
                    queue.enqueue(rows, handle_work(event_row_id, wait))

    def _handle(self, event_row_id: str) -> None:
        """Apply the effect that an event's type has. Raises SlackBusy, SlackDown, VaultProblem."""
        with self._database.reading() as session:
            row = slack_events.by_id(session, event_row_id)
        event = self._event(row) if row is not None else None
        if row is None or event is None:
            return
        if event.type in (event_names.APP_UNINSTALLED, event_names.TOKENS_REVOKED):
            self._ender.end(row, event)
        elif event.type in (event_names.TEAM_ACCESS_GRANTED, event_names.TEAM_ACCESS_REVOKED):
            self._teams.check(row, event)
        elif event.type in (event_names.TEAM_RENAME, event_names.TEAM_DOMAIN_CHANGE):
            self._record_new_name(row, event)
        else:
            self._channels.apply(row, event)

    def _event(self, row: SlackEvent) -> events.Event | None:
        """Decrypt and read the body. Raises VaultProblem."""
        if row.body is None:
            return None
        read = events.read(self._vault.open(row.body, body_sealed_at(row.id)).encode())
        return read if isinstance(read, events.Event) else None

    def _record_new_name(self, row: SlackEvent, event: events.Event) -> None:
        """Record a workspace's new domain, or store and record its new name."""
        at = self._now()
        with self._database.transaction() as session:
            integration_locks.share(session, row.integration_id)
            if not slack_events.mark_handled(session, row.id, at) or event.owner_id is None:
                return
            if slack_events.newer_exists(session, row):
                return
            found = connection_changes.of_workspace(session, row.integration_id, event.owner_id)
            if event.type == event_names.TEAM_DOMAIN_CHANGE and event.domain is not None:
                effect = Effect(ChangeKind.CONNECTION_RENAMED, at, f"domain: {event.domain}")
                for connection in found:
                    record(session, effect, connection, EventDetails("domain_changed"))
            elif event.type == event_names.TEAM_RENAME and event.name is not None:
                effect = Effect(ChangeKind.CONNECTION_RENAMED, at, "name")
                names = {one.id: one.workspace_name for one in found}
                for one in connection_changes.rename(session, row.integration_id, event.owner_id, event.name, at):
                    record(session, effect, one, name_changed(one.workspace_id, names[one.id]))
