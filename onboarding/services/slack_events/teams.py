"""Update connections when an organization's admins add its app to a workspace or remove it from one."""

from onboarding import causes
from onboarding.changes import ChangeKind
from onboarding.clock import Clock
from onboarding.errors import SlackRefused, VaultProblem
from onboarding.events import EventDetails
from onboarding.outcomes import ConnectionStatus
from onboarding.services.slack_events.effects import Effect, record
from onboarding.services.tokens.sealing import Tokens
from onboarding.slack.events import Event
from onboarding.slack.gateway import Gateway
from onboarding.store import connected_installations, connection_changes, installations, integration_locks, slack_events
from onboarding.store.connected_installations import ConnectedInstallation
from onboarding.store.database import Database
from onboarding.store.slack_events import SlackEvent


class TeamAccess:
    """Handles `team_access_granted` and `team_access_revoked`: https://docs.slack.dev/reference/events/team_access_granted.

    They affect only connections that an API caller created with an organization's token for one of its workspaces. The
    token stays valid for the other workspaces.
    """

    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now

    def check(self, row: SlackEvent, event: Event) -> None:
        """Ask Slack which workspaces the app has now, so that the order of the events does not matter.

        Raises SlackBusy, SlackDown.
        """
        with self._database.reading() as session:
            found = connected_installations.of_teams(session, row.integration_id, event.team_ids)
        answers = [(one, self._has_access(one)) for one in found]
        at = self._now()
        with self._database.transaction() as session:
            integration_locks.share(session, row.integration_id)
            installations.lock_all(session, [one.installation.id for one in found])
            if not slack_events.mark_handled(session, row.id, at):
                return
            for one, has_access in answers:
                if has_access is None:
                    continue
                status = ConnectionStatus.HEALTHY if has_access else ConnectionStatus.NEEDS_RECONNECT
                reason = None if has_access else causes.NOT_IN_WORKSPACE
                kind = ChangeKind.CONNECTION_HEALED if has_access else ChangeKind.CONNECTION_BROKEN
                changed = connection_changes.set_status(session, one, status, reason, at)
                if changed is not None:
                    details = EventDetails(event.type, previous={"status": one.connection.status})
                    record(session, Effect(kind, at, event.type), changed, details)

    def _has_access(self, one: ConnectedInstallation) -> bool | None:
        """Return None if Slack does not accept the token, which a check reports."""
        try:
            token = self._tokens.access_token(one.installation.id, one.installation.access_token)
            teams = self._gateway.team_ids(self._tokens.without_secret(one.integration), token)
        except (SlackRefused, VaultProblem):
            return None
        return one.connection.workspace_id in teams
