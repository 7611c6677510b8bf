"""Erase the tokens that Slack has ended. An event about earlier access never ends access that was granted since."""

from datetime import timedelta

from onboarding.changes import ChangeKind
from onboarding.clock import Clock
from onboarding.errors import SlackRefused, VaultProblem
from onboarding.events import EventDetails
from onboarding.services.slack_events.effects import Effect, record
from onboarding.services.tokens.sealing import Tokens
from onboarding.slack import event_names, faults, signatures
from onboarding.slack.events import Event
from onboarding.slack.gateway import Gateway
from onboarding.store import (
    connected_installations,
    connection_changes,
    erasure,
    installations,
    integration_locks,
    slack_events,
    workspaces,
)
from onboarding.store.connected_installations import OwnedInstallation
from onboarding.store.database import Database
from onboarding.store.slack_events import SlackEvent

#: Slack's clock and ours differ by less, or the signature would not have been accepted.
_CLOCK_DIFFERENCE = timedelta(seconds=signatures.MAX_AGE_SECONDS)
#: Slack reports whole seconds.
_RESOLUTION = timedelta(seconds=1)


class AccessEnder:
    """Handles `app_uninstalled` and `tokens_revoked`: https://docs.slack.dev/reference/events/app_uninstalled."""

    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now

    def end(self, row: SlackEvent, event: Event) -> None:
        """Disconnect the connections whose access the event has ended, and erase their tokens.

        An API caller may have sent an organization's token for one of its workspaces. Only Slack knows which ones these
        are, so the tokens that callers sent are checked.

        Raises SlackBusy or SlackDown if only Slack can say whether the access was granted before the event or after it.
        """
        with self._database.reading() as session:
            found = connected_installations.in_workspace(
                session, row.integration_id, event.slack_key, event.owner_id or ""
            )
        ended = [one for one in found if _may_be_meant(one, event) and self._has_ended(one, event)]
        at = self._now()
        if event.is_for_organization:
            with self._database.changing_one() as rows:
                connected_installations.check_sent_tokens_at(rows, row.integration_id, at)
        with self._database.transaction() as session:
            integration_locks.share(session, row.integration_id)
            # A disconnect takes the same lock. With it, no transaction that connects the workspace is in progress.
            workspaces.lock(session, row.integration_id, event.owner_id or "")
            if not slack_events.mark_handled(session, row.id, at):
                return
            installations.lock_all(session, [one.installation.id for one in ended])
            for one in ended:
                current = installations.lock(session, row.environment_id, one.installation.id)
                # An install or a refresh in the meantime has proved that the access works.
                if current is None or current.token_since != one.installation.token_since:
                    continue
                reason = faults.ending(event.type)
                statuses = {one.id: one.status for one in connection_changes.all_on(session, current.id)}
                effect = Effect(ChangeKind.CONNECTION_DISCONNECTED, at, event.type)
                for connection in connection_changes.disconnect_all_on(session, current.id, reason, at):
                    details = EventDetails(event.type, previous={"status": statuses[connection.id]})
                    record(session, effect, connection, details)
                erasure.erase_unused_installation(session, current.id)

    def _has_ended(self, one: OwnedInstallation, event: Event) -> bool:
        """Compare the times. In doubt, ask Slack whether the token works. Raises SlackBusy, SlackDown.

        Slack is always asked about a token that an API caller sent: only the caller says which workspace it is for.
        """
        token_since, is_from_install = one.installation.token_since, one.installation.origin == "install"
        if is_from_install and event.at > token_since + _CLOCK_DIFFERENCE:
            return True
        if is_from_install and event.at + _RESOLUTION < token_since - _CLOCK_DIFFERENCE:
            return False
        credentials = self._tokens.without_secret(one.integration)
        try:
            token = self._tokens.access_token(one.installation.id, one.installation.access_token)
            self._gateway.test(credentials, token)
        except SlackRefused as refusal:
            # The answer for an expired token proves nothing, so the times decide.
            return refusal.code in faults.GONE or event.at + _RESOLUTION > token_since
        except VaultProblem:
            return event.at + _RESOLUTION > token_since
        return False


def _may_be_meant(one: OwnedInstallation, event: Event) -> bool:
    """Return whether the event can be about this token: `tokens_revoked` lists the users whose tokens ended."""
    if event.type == event_names.APP_UNINSTALLED:
        return True
    bots, users = event.revoked("bot"), event.revoked("oauth")
    if one.bot_user_ids:
        return bool(bots & one.bot_user_ids)
    # An API caller need not say whose token it is.
    return one.installation.origin == "api" or one.installation.installer_id in users
