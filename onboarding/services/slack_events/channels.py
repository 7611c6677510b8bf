"""Update channel endpoints when their channels change in Slack."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from onboarding import changes
from onboarding.callers import SLACK
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.events import EventDetails
from onboarding.slack import event_names
from onboarding.slack.events import Event
from onboarding.store import followed_channels, integration_locks, slack_events, workspaces
from onboarding.store.database import Database, Rows
from onboarding.store.followed_channels import EndpointOfChannel
from onboarding.store.slack_events import SlackEvent
from onboarding.vault import SealedAt, Vault

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Update:
    """The changes of one endpoint that an event causes."""

    #: Columns.
    values: dict[str, Any]
    #: For the audit log; empty if only the time of the event is new.
    words: str = ""
    #: Members of the event's `endpoint` with their values before.
    previous: dict[str, Any] = field(default_factory=dict)


class ChannelChanges:
    """Handles the events about channels, such as https://docs.slack.dev/reference/events/channel_archive.

    Only endpoints that name a connection of the event's workspace are changed.
    """

    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def apply(self, row: SlackEvent, event: Event) -> None:
        """Store what the event says, unless a newer one was handled before."""
        at = self._now()
        with self._database.transaction() as session:
            integration_locks.share(session, row.integration_id)
            # A disconnect and an install take the same lock before they remove endpoints.
            for workspace_id in sorted(event.workspace_ids):
                workspaces.lock(session, row.integration_id, workspace_id)
            if not slack_events.mark_handled(session, row.id, at) or event.channel_id is None:
                return
            for one in followed_channels.of_channel(session, row.integration_id, event.workspace_ids, event.channel_id):
                update = self._update(one, event)
                if update is None:
                    continue
                changed_at = {"updated_at": at} if update.words else {}
                followed_channels.follow_channel(session, one.id, **update.values, **changed_at)
                if update.words:
                    _record(session, one, event, update, at)

    def _update(self, one: EndpointOfChannel, event: Event) -> _Update | None:
        """Return None for an event that changes nothing, or that is older than one that was handled."""
        if event.type in event_names.CHANNEL_RENAMES:
            return self._rename(one, event)
        if event.type == event_names.CHANNEL_ID_CHANGED:
            return self._move(one, event)
        if one.status_at is not None and event.at < one.status_at:
            return None
        status = event_names.CHANNEL_STATUSES[event.type]
        values = {"status": status, "status_at": event.at}
        return _Update(values, status, {"status": one.status}) if status != one.status else _Update(values)

    def _rename(self, one: EndpointOfChannel, event: Event) -> _Update | None:
        """Store the channel's new name. Only a webhook's target contains it."""
        if one.type != "webhook" or event.channel_name is None:
            return None
        if one.name_at is not None and event.at < one.name_at:
            return None
        try:
            target = json.loads(self._vault.open(one.endpoint, _sealed_at(one.id)))
        except VaultProblem as problem:
            _LOG.error("endpoint.unreadable", endpoint=one.identifier, problem=problem.sentence)
            return None
        name = f"#{event.channel_name}"
        if target.get("channel") == name:
            return _Update({"name_at": event.at})
        sealed = self._vault.seal(json.dumps({**target, "channel": name}), _sealed_at(one.id))
        return _Update({"endpoint": sealed, "name_at": event.at}, "renamed")

    def _move(self, one: EndpointOfChannel, event: Event) -> _Update | None:
        """Store the channel's new id: https://docs.slack.dev/reference/events/channel_id_changed"""
        new = event.new_channel_id
        if new is None:
            return None
        values: dict[str, Any] = {"channel_id": new}
        if one.type == "slack_channel":
            values["endpoint"] = self._vault.seal(json.dumps({"channelId": new}), _sealed_at(one.id))
        return _Update(values, f"now {new}", {"channelId": event.channel_id})


def _record(rows: Rows, one: EndpointOfChannel, event: Event, update: _Update, at: datetime) -> None:
    """Write the audit entry and the event for hosts. Neither names the channel, which may be private."""
    channel_id = update.values.get("channel_id", event.channel_id)
    shown = {
        "identifier": one.identifier,
        "type": one.type,
        "status": update.values.get("status", one.status),
        "channelId": channel_id,
    }
    details = EventDetails(
        event.type, previous={"endpoint": update.previous} if update.previous else {}, endpoint=shown
    )
    change = Change(
        ChangeKind.CONNECTION_CHANNEL_CHANGED,
        SLACK,
        at,
        one.environment_id,
        one.connection_identifier,
        subject_name=one.workspace_name or one.workspace_id,
        detail=f"{event.channel_id} {update.words}",
        event=details,
    )
    changes.record(rows, change)


def _sealed_at(endpoint_id: str) -> SealedAt:
    return SealedAt("channel_endpoints", "endpoint", endpoint_id)
