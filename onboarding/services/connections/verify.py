"""The check of a connection: ask Slack whether its token works. A network fault never breaks a connection."""

from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from onboarding.clock import Clock
from onboarding.errors import ReconnectNeeded, SlackBusy, SlackDown, SlackRefused, VaultProblem
from onboarding.outgoing import queue
from onboarding.services.tokens.record_verdict import VerdictRecorder, has_token_of
from onboarding.services.tokens.sealing import next_check
from onboarding.services.tokens.source import TokenSource, UsableToken
from onboarding.services.tokens.verdict import Verdict
from onboarding.slack import faults
from onboarding.slack.gateway import Gateway, Tested
from onboarding.store import connection_changes, installations
from onboarding.store.database import Database
from onboarding.work import Queue, Work

#: The workflow that checks one token: its argument is the id of the installation.
WORKFLOW = "check_installation"
_BATCH = 200
#: The time until the next check if Slack does not answer.
_AGAIN = timedelta(minutes=10)
_LOG = structlog.get_logger(__name__)


class ConnectionVerifier:
    def __init__(self, database: Database, source: TokenSource, gateway: Gateway, now: Clock) -> None:
        self._database, self._source, self._gateway, self._now = database, source, gateway, now
        self._verdicts = VerdictRecorder(database, now)

    def verify(self, environment_id: str, identifier: str) -> None:
        """Ask Slack about the connection's token and record its answer on every connection that uses the token.

        A token that rotates is refreshed, once for any number of concurrent callers. Raises NotFound, VaultProblem, and
        SlackBusy or SlackDown if Slack did not answer. Without an answer, the status changes only after an hour.
        """
        # ReconnectNeeded is recorded already: Slack refused to refresh the token.
        with suppress(ReconnectNeeded):
            token = self._source.usable(environment_id, identifier, renew=True)
            # Slack has not confirmed yet that an API caller's token works in the workspace.
            if token.is_verified and token.installation.origin == "install":
                return
            try:
                self._check(token)
            except SlackDown:
                self._verdicts.note_unanswered(token.installation.id)
                raise

    def enqueue_checks(self) -> None:
        """Enqueue the check of each token whose time has come. A check that waits or runs is not enqueued again."""
        with self._database.changing_rows() as rows:
            for installation_id in installations.due(rows, "check_at", self._now(), _BATCH):
                queue.enqueue_once(rows, Work(Queue.SLACK, WORKFLOW, (installation_id,)), f"check:{installation_id}")

    def check(self, installation_id: str) -> None:
        """Check a token as part of the schedule, and set the time of its next check."""
        next_at = next_check(self._now())
        try:
            token = self._source.usable_of(installation_id)
            if token is not None:
                self._check(token)
                return
        except SlackBusy as busy:
            next_at = self._now() + timedelta(seconds=busy.retry_after)
        except SlackDown:
            self._verdicts.note_unanswered(installation_id)
            next_at = self._now() + _AGAIN
        except (ReconnectNeeded, VaultProblem) as problem:
            _LOG.info("connection.not_checked", installation=installation_id, problem=problem.code)
        with self._database.changing_rows() as rows:
            installations.change_time(rows, installation_id, "check_at", next_at)

    def _check(self, token: UsableToken) -> None:
        """Ask Slack about the token and store the verdict. Raises SlackBusy, SlackDown."""
        verdict = self._verdict(token, {"check_at": next_check(self._now())})
        self._verdicts.record(token.installation, has_token_of(token.installation), verdict)

    def _verdict(self, token: UsableToken, columns: dict[str, datetime]) -> Verdict:
        """Ask Slack whether the token works, and where. Raises SlackBusy, SlackDown."""
        try:
            tested = self._gateway.test(token.app, token.access_token)
            team_ids = self._team_ids(token, tested)
        except SlackRefused as refusal:
            return Verdict(faults.reason(refusal.code), columns=columns)
        # An API caller has named the workspace itself.
        name = tested.workspace_name if token.installation.origin == "install" else None
        owner = tested.workspace_id, tested.is_for_organization, team_ids
        return Verdict(None, *owner, scopes=tested.scopes, columns=columns, workspace_name=name)

    def _team_ids(self, token: UsableToken, tested: Tested) -> frozenset[str] | None:
        """Return the workspaces in which an organization's token works; None if no connection needs to know.

        An API caller may send the token of an organization for each workspace that has the app. Raises SlackProblem.
        """
        with self._database.rows() as rows:
            used_for = connection_changes.all_on(rows, token.installation.id)
        if not tested.is_for_organization or {one.workspace_id for one in used_for} <= {tested.workspace_id}:
            return None
        return self._gateway.team_ids(token.app, token.access_token)
