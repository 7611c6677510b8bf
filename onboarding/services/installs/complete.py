"""Completion: Slack's grant and the person's choice become a connection, in one transaction."""

from datetime import datetime

import structlog

from onboarding import events
from onboarding.clock import Clock
from onboarding.errors import Conflict, Refused
from onboarding.outcomes import Outcome
from onboarding.services.installs import records, rights
from onboarding.services.installs.connect import InstallConnector, Sealers
from onboarding.services.installs.granted import GrantedInstall, LockedInstall
from onboarding.slack.faults import operator_hint
from onboarding.store import installs, links, workspace_holders
from onboarding.store.attempts import AttemptRow, Stage
from onboarding.store.database import Database
from onboarding.store.links import LinkRow, ParentRow
from onboarding.store.retries import repeat_on_conflict
from onboarding.translatable import marked

_LOG = structlog.get_logger(__name__)
#: Outcomes that leave the grant unused. The caller revokes it with `Grants.revoke_refused`.
REFUSALS = (
    Outcome.WORKSPACE_TAKEN,
    Outcome.LINK_USED,
    Outcome.LINK_REVOKED,
    Outcome.OPERATOR_DENIED,
    Outcome.CONFIG_ERROR,
)


class InstallCompleter:
    def __init__(self, database: Database, sealers: Sealers, now: Clock) -> None:
        self._database, self._sealers, self._now = database, sealers, now

    def complete(self, granted: GrantedInstall) -> Outcome:
        """Complete the attempt with its grant, and return the outcome.

        Returns the stored outcome if the attempt has left its stage. Raises Refused with the field's name if an open
        link would replace a connection, and StorageProblem.
        """
        # A conflict means that another install has committed. The next try reads what it stored.
        return repeat_on_conflict(lambda: self._try(granted))

    def _try(self, granted: GrantedInstall) -> Outcome:
        with self._database.changing_rows() as rows:
            found = installs.attempt_to_complete(rows, granted.attempt_id)
            if found is None or found.attempt.stage is not granted.stage:
                return (found.attempt.outcome if found else None) or Outcome.STATE_EXPIRED
            return _Completion(LockedInstall(rows, found, granted), self._sealers).run(self._now())


class _Completion:
    """One try to complete one attempt: it checks the install and stores the outcome."""

    def __init__(self, install: LockedInstall, sealers: Sealers) -> None:
        self._install, self._sealers = install, sealers

    def run(self, at: datetime) -> Outcome:
        """Check the install, store what it creates, and return its outcome.

        Raises Refused, and Conflict if a concurrent transaction has changed what this one has read.
        """
        ended = rights.outcome_if_lost(self._install.rows, self._install.found)
        if ended is None and any(link.revoked_at is not None for link in self._install.links):
            ended = Outcome.LINK_REVOKED
        if ended is not None:
            return self._finish(ended, at)
        if not self._install.grant.is_bot and self._needs_bot():
            log_config_error(self._install.attempt, "user_token_only")
            return self._finish(Outcome.CONFIG_ERROR, at, detail="user_token_only")
        if not all(map(self._may_use, self._install.links)):
            return self._finish(Outcome.LINK_USED, at)
        self._check_open_link()
        if self._is_unexpected_workspace():
            return self._ask_which_workspace(at)
        if self._is_workspace_taken():
            return self._finish(Outcome.WORKSPACE_TAKEN, at)
        for link in self._install.links:
            self._mark_used(link, at)
        identifier = InstallConnector(self._install, self._sealers).connect(at)
        missing = ",".join(sorted(self._install.missing_scopes))
        connected = {"connection_identifier": identifier, "identity_key": self._install.key, "missing_scopes": missing}
        return self._finish(self._success(), at, **connected)

    @property
    def _expected_workspace_id(self) -> str | None:
        attempt, existing = self._install.attempt, self._install.existing
        return attempt.expected_workspace_id or (existing.workspace_id if existing else None)

    def _needs_bot(self) -> bool:
        """Return whether a person's token alone is not enough.

        Several people may use a shared connection, or an installation that has a bot.
        """
        choice, installation = self._install.choice, self._install.installation
        return choice.mode == "shared" or (installation is not None and installation.bot_user_id is not None)

    def _check_open_link(self) -> None:
        """Check that an open link creates a new connection. Raises Refused if the chosen identity has one."""
        link = self._install.link
        if self._install.existing is not None and link is not None and link.is_open:
            field = "subscriber_id" if self._install.choice.mode == "subscriber" else "contexts"
            raise Refused(marked("This is connected already, and this link cannot replace a connection."), field)

    def _is_unexpected_workspace(self) -> bool:
        may_be_another = self._install.granted.is_confirmed or self._install.attempt.may_replace
        return not may_be_another and self._expected_workspace_id not in (None, self._install.grant.workspace_id)

    def _is_workspace_taken(self) -> bool:
        """Return whether another customer has the workspace, and the integration allows one only.

        A connection to the same workspace may be renewed.
        """
        install, workspace_id = self._install, self._install.grant.workspace_id
        if install.integration.workspace_policy != "refuse":
            return False
        if install.existing is not None and install.existing.workspace_id == workspace_id:
            return False
        choice = install.choice
        subscriber_id = choice.subscriber_id if choice.mode == "subscriber" else None
        return workspace_holders.held_by_another(
            install.rows, install.integration.id, workspace_id, subscriber_id, choice.context_keys
        )

    def _mark_used(self, link: LinkRow | ParentRow, at: datetime) -> None:
        """Mark the link as used by this attempt. Raises Conflict if another install used it, or someone revoked it."""
        install = self._install
        if link.used_at is None and not links.mark_used(install.rows, link.id, install.attempt.id, install.key, at):
            raise Conflict("Another install used the link, or someone revoked it.")

    def _may_use(self, link: LinkRow | ParentRow) -> bool:
        """Return whether the link is unused or may be used again.

        The browser that used it may renew what it connected. An attempt that was in progress when another one used the
        link may not replace the workspace, so the person is not asked to confirm that.
        """
        install, existing = self._install, self._install.existing
        if link.used_at is None:
            return True
        if link.is_open or link.used_identity_key != install.key:
            return False
        keeps_workspace = existing is not None and existing.workspace_id == install.grant.workspace_id
        return link.used_at <= install.attempt.created_at or keeps_workspace

    def _success(self) -> Outcome:
        if self._install.existing is not None:
            return Outcome.RECONNECTED
        # An organization's admin has to add the app to workspaces first, so this is more urgent than missing
        # permissions.
        if self._install.grant.is_enterprise_install:
            return Outcome.ORG_INSTALLED
        return Outcome.PARTIAL_PERMISSIONS if self._install.missing_scopes else Outcome.CONNECTED

    def _ask_which_workspace(self, at: datetime) -> Outcome:
        """Keep the grant: nothing is replaced until the person confirms it."""
        attempt, existing = self._install.attempt, self._install.existing
        self._install.move(
            stage=Stage.WAITING,
            outcome=Outcome.WRONG_WORKSPACE,
            expires_at=records.waits_until(attempt, at),
            waiting_grant=self._sealers.grants.seal(attempt.id, self._install.grant),
            choice=self._install.choice.as_json(),
            connection_identifier=existing.identifier if existing else None,
            workspace_id=self._install.grant.workspace_id,
            workspace_name=self._install.grant.workspace_name,
            expected_workspace_id=self._expected_workspace_id,
            expected_workspace_name=attempt.expected_workspace_name or (existing.workspace_name if existing else None),
        )
        return Outcome.WRONG_WORKSPACE

    def _finish(self, outcome: Outcome, at: datetime, **values: str) -> Outcome:
        attempt, grant = self._install.attempt, self._install.grant
        finished: dict[str, object] = {
            "stage": Stage.FINISHED,
            "outcome": outcome,
            "finished_at": at,
            "waiting_grant": None,
            "workspace_id": grant.workspace_id,
            "workspace_name": grant.workspace_name,
            "connection_identifier": None,
            "identity_key": None,
            "missing_scopes": "",
            "detail": None,
        }
        self._install.move(**finished | values)
        if outcome in REFUSALS:
            self._sealers.grants.refuse(self._install.rows, attempt, grant)
        events.attempt_ended(self._install.rows, attempt.id)
        return outcome


def log_config_error(attempt: AttemptRow, code: str) -> None:
    """Report a configuration error to operators in the log. `code`: Slack's error code, or ours (`slack.faults`)."""
    _LOG.error("install.refused", attempt=attempt.id, code=code, hint=operator_hint(code, attempt.redirect_uri))
