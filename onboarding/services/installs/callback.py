"""InstallCallback: handle Slack's redirect back to us, with a code or an error."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

import structlog

from onboarding import events
from onboarding.clock import Clock
from onboarding.errors import Problem, SlackBusy, SlackProblem, SlackRefused, StorageProblem, VaultProblem, locations
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import records, rights
from onboarding.services.installs.bindings import BindingOf, is_bound, state_digest
from onboarding.services.installs.complete import REFUSALS, InstallCompleter, log_config_error
from onboarding.services.installs.granted import GrantedInstall
from onboarding.services.installs.grants import Grants
from onboarding.services.installs.records import Choice, InstallStep, NextPage
from onboarding.slack import faults
from onboarding.slack.grants import Grant, UnusableGrant
from onboarding.store import attempts, connections, installs, unfinished_attempts
from onboarding.store.attempts import AttemptRow, Stage
from onboarding.store.database import Database
from onboarding.store.installs import AttemptRows

_LOG = structlog.get_logger(__name__)
#: The outcome that the sweep stores for an exchange that takes longer than a minute. A later grant is not stored.
_GIVEN_UP = Outcome.SLACK_DOWN
#: How many exchanges of one link may fail within `_WINDOW`.
_MAX_UNSUCCESSFUL = 20
_WINDOW = timedelta(minutes=10)


class InstallCallback:
    def __init__(
        self, database: Database, grants: Grants, completer: InstallCompleter, now: Clock, max_waiting: int
    ) -> None:
        """Create the handler. `max_waiting`: how many installs of this process may wait for Slack at the same time."""
        self._database, self._grants, self._completer, self._now = database, grants, completer, now
        self._slots = threading.BoundedSemaphore(max_waiting)

    def handle_callback(self, query: Mapping[str, str], binding_of: BindingOf) -> InstallStep:
        """Handle one callback.

        The state and the browser's secret are checked before anything else in the query is used, `error` included.
        Raises StorageProblem if the attempt cannot be read.
        """
        state = query.get("state")
        if not state:
            return InstallStep(None, Outcome.NO_STATE)
        with self._database.rows() as rows:
            found = installs.attempt_by_state(rows, state_digest(state))
            ended = rights.outcome_if_lost(rows, found) if found is not None else None
        if found is None:
            return InstallStep(None, Outcome.STATE_UNKNOWN)
        attempt = found.attempt
        if not is_bound(attempt, binding_of(attempt.id)):
            return InstallStep(attempt.id, Outcome.OTHER_BROWSER)
        # A reload or a double click repeats the callback.
        if attempt.stage is not Stage.CREATED:
            return self._seen_again(attempt)
        if attempt.expires_at <= self._now():
            return self._end(attempt, Stage.CREATED, Outcome.STATE_EXPIRED)
        if ended is not None:
            # The code is not exchanged, so Slack grants nothing.
            return self._end(attempt, Stage.CREATED, ended)
        if not query.get("code") or query.get("error"):
            return self._refused_in_slack(attempt, query)
        # The attempt stays as it is, so the next request of the waiting page is handled like this one.
        if not self._slots.acquire(blocking=False):
            return InstallStep(attempt.id, None, NextPage.WAITING)
        try:
            return self._exchange(found, query["code"])
        finally:
            self._slots.release()

    def _seen_again(self, attempt: AttemptRow) -> InstallStep:
        if attempt.stage is Stage.WAITING:
            next_page = NextPage.RESULT if attempt.outcome is Outcome.WRONG_WORKSPACE else NextPage.SETUP
            return InstallStep(attempt.id, attempt.outcome, next_page)
        if attempt.stage is Stage.FINISHED:
            is_success = attempt.outcome is not None and attempt.outcome.is_success
            return InstallStep(attempt.id, Outcome.REPLAY_OK if is_success else attempt.outcome)
        if records.has_died(attempt, self._now()):
            return self._end(attempt, Stage.EXCHANGING, Outcome.SLACK_DOWN)
        return InstallStep(attempt.id, None, NextPage.WAITING)

    def _refused_in_slack(self, attempt: AttemptRow, query: Mapping[str, str]) -> InstallStep:
        code = faults.read_code(query.get("error"))
        if code == "access_denied":
            # After Cancel, Slack sends a description. Without one, the person may have asked an admin to approve.
            is_described = bool(query.get("error_description"))
            outcome = Outcome.CANCELLED if is_described else Outcome.CANCELLED_MAYBE_APPROVAL
            return self._end(attempt, Stage.CREATED, outcome)
        if code:
            return self._refused(attempt, Stage.CREATED, code)
        return self._end(attempt, Stage.CREATED, Outcome.CODE_SPENT_UNKNOWN)

    def _refused(self, attempt: AttemptRow, stage: Stage, code: str) -> InstallStep:
        outcome = faults.outcome_of(code)
        if outcome is Outcome.CONFIG_ERROR:
            log_config_error(attempt, code)
        return self._end(attempt, stage, outcome, detail=code)

    def _exchange(self, found: AttemptRows, code: str) -> InstallStep:
        attempt, stage = found.attempt, Stage.EXCHANGING
        at = self._now()
        begun = {"stage": stage, "exchanging_at": at, "returned_at": at}
        # Committed before Slack is called: a code works once, so only one of several callbacks may send it.
        with self._database.changing_one() as rows:
            is_first = attempts.move(rows, attempt.id, Stage.CREATED, **begun)
        if not is_first:
            return InstallStep(attempt.id, None, NextPage.WAITING)
        try:
            wait = self._seconds_to_wait(attempt, at)
        except StorageProblem as problem:
            _LOG.error("install.not_counted", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, stage, Outcome.STORAGE_ERROR)
        if wait:
            _LOG.warning("install.too_many_attempts", attempt=attempt.id, link=attempt.link_id)
            return self._end(attempt, stage, Outcome.TOO_MANY_ATTEMPTS, retry_after_seconds=wait)
        return self._ask_slack(found, code)

    def _ask_slack(self, found: AttemptRows, code: str) -> InstallStep:
        attempt, stage = found.attempt, Stage.EXCHANGING
        try:
            grant = self._grants.exchange(attempt, found.integration, code)
        except SlackRefused as refusal:
            return self._refused(attempt, stage, refusal.code)
        except SlackBusy as busy:
            return self._end(attempt, stage, Outcome.SLACK_BUSY, retry_after_seconds=busy.retry_after)
        except UnusableGrant as unusable:
            _LOG.warning("install.slack_down", attempt=attempt.id, problem=unusable.sentence)
            result = GrantResult.REVOKED if unusable.is_revoked else GrantResult.NOT_CONFIRMED
            return self._end(attempt, stage, Outcome.SLACK_DOWN, detail=unusable.sentence, grant_result=result)
        except SlackProblem as problem:
            _LOG.warning("install.slack_down", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, stage, Outcome.SLACK_DOWN, detail=problem.sentence)
        except VaultProblem as problem:
            _LOG.error("install.secret_unreadable", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, stage, Outcome.CONFIG_ERROR, detail="encryption_keys")
        return self._granted(found, grant)

    def _seconds_to_wait(self, attempt: AttemptRow, at: datetime) -> int:
        """Return for how many seconds the attempt's link may not exchange a code; 0 if it may.

        The holder of a link could otherwise send Slack any number of invented codes with our credentials. The attempt
        is counted as an exchange before this looks at the others, so concurrent callbacks in any number of processes
        stay within the limit. An operator's attempt has no link and no limit: only a person who is signed in can start
        one.
        """
        if attempt.link_id is None:
            return 0
        with self._database.rows() as rows:
            last = unfinished_attempts.unsuccessful_exchange(rows, attempt, at - _WINDOW, _MAX_UNSUCCESSFUL - 1)
        return max(1, ceil((last + _WINDOW - at).total_seconds())) if last is not None else 0

    def _granted(self, found: AttemptRows, grant: Grant) -> InstallStep:
        attempt = found.attempt
        try:
            return self._complete_or_keep(found, grant)
        except Problem as problem:
            _LOG.error("install.not_stored", attempt=attempt.id, problem=problem.sentence)
        except Exception as fault:  # Slack has granted the access: any fault of ours must revoke it
            _LOG.error("install.failed", attempt=attempt.id, kind=type(fault).__name__, at=locations(fault))
        result = self._revoke_unless_stored(found, grant)
        ended = self._end(attempt, Stage.EXCHANGING, Outcome.STORAGE_ERROR, grant_result=result)
        return replace(ended, grant_result=result)

    def _complete_or_keep(self, found: AttemptRows, grant: Grant) -> InstallStep:
        """Complete the install if the link fixes the choice; else keep the grant while the person chooses."""
        attempt = found.attempt
        choice = records.choice_fixed_by(found.link, attempt.scopes) or self._choice_to_renew(found)
        if choice is None:
            return self._keep(found, grant)
        outcome = self._completer.complete(GrantedInstall(attempt.id, Stage.EXCHANGING, grant, choice))
        if outcome is _GIVEN_UP:
            self._grants.revoke_unused(attempt, grant)
        elif outcome in REFUSALS:
            self._grants.revoke_refused(attempt, grant)
        return InstallStep(attempt.id, outcome)

    def _choice_to_renew(self, found: AttemptRows) -> Choice | None:
        """Return what was chosen with a used link: an attempt that started later renews that connection."""
        link = found.link
        if link is None or link.used_by_attempt is None or link.used_at is None:
            return None
        if found.attempt.created_at < link.used_at:
            return None
        with self._database.reading() as session:
            used_by = attempts.by_id(session, link.used_by_attempt)
            identifier = used_by.connection_identifier if used_by else None
            renewed = connections.by_identifier(session, link.environment_id, identifier) if identifier else None
            return Choice(renewed.mode, renewed.subscriber_id, renewed.context_keys) if renewed else None

    def _keep(self, found: AttemptRows, grant: Grant) -> InstallStep:
        attempt = found.attempt
        with self._database.changing_rows() as rows:
            is_kept = attempts.move(
                rows,
                attempt.id,
                Stage.EXCHANGING,
                stage=Stage.WAITING,
                expires_at=records.waits_until(attempt, self._now()),
                waiting_grant=self._grants.seal(attempt.id, grant),
                workspace_id=grant.workspace_id,
                workspace_name=grant.workspace_name,
            )
        # The exchange took longer than a minute, and the sweep has ended the attempt.
        if not is_kept:
            self._grants.revoke_unused(attempt, grant)
            return InstallStep(attempt.id, _GIVEN_UP)
        return InstallStep(attempt.id, None, NextPage.SETUP)

    def _revoke_unless_stored(self, found: AttemptRows, grant: Grant) -> GrantResult:
        """Revoke a grant after a failed commit, unless the database stored it and only its answer was lost."""
        attempt = found.attempt
        try:
            with self._database.rows() as rows:
                stored = attempts.by_id(rows, attempt.id)
        except StorageProblem:
            return GrantResult.LEFT
        # The commit succeeded, although the database's answer was lost.
        if stored is None or stored.stage is not Stage.EXCHANGING:
            return GrantResult.KEPT
        return self._grants.revoke_unused(attempt, grant)

    def _end(self, attempt: AttemptRow, stage: Stage, outcome: Outcome, **values: object) -> InstallStep:
        at = self._now()
        ended = {"stage": Stage.FINISHED, "outcome": outcome, "finished_at": at, **values}
        if stage is Stage.CREATED:
            ended["returned_at"] = at
        try:
            with self._database.changing_rows() as rows:
                is_first = attempts.move(rows, attempt.id, stage, **ended)
                if is_first:
                    events.attempt_ended(rows, attempt.id)
        except Problem as problem:
            # The page shows the outcome anyway; after a minute the attempt reads as `slack_down`.
            _LOG.error("install.outcome_not_stored", attempt=attempt.id, outcome=outcome, problem=problem.sentence)
            return InstallStep(attempt.id, outcome, NextPage.UNSTORED)
        return InstallStep(attempt.id, outcome) if is_first else InstallStep(attempt.id, None, NextPage.WAITING)
