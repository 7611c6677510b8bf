"""InstallCallback: Slack has sent the person back."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import structlog

from onboarding.errors import Problem, SlackBusy, SlackProblem, SlackRefused, StorageProblem, VaultProblem
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import records
from onboarding.services.installs.complete import REFUSALS, InstallCompleter
from onboarding.services.installs.records import LIFETIME, Finished, NextStep, is_bound
from onboarding.services.installs.shared import Workbench, state_digest
from onboarding.slack import faults
from onboarding.slack.grants import Grant
from onboarding.store import attempts, links
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.integrations import Integration

_LOG = structlog.get_logger(__name__)
#: What the sweep has said of an attempt whose exchange took longer than a minute. Nobody stores its grant any more.
_GIVEN_UP = Outcome.SLACK_DOWN


class InstallCallback:
    def __init__(self, bench: Workbench, settling: InstallCompleter, slots: int) -> None:
        """`slots`: how many installs of this process may wait for Slack at a time."""
        self._bench, self._settling = bench, settling
        self._slots = threading.BoundedSemaphore(slots)

    def handle(self, told: Mapping[str, str], bindings: Mapping[str, str]) -> Finished:
        """One callback. `told` is its query; `bindings` are the browser's secrets by attempt id's cookie name.

        The state is looked at before anything else that Slack or anyone says. Raises StorageProblem when the attempt
        cannot be read.
        """
        state = told.get("state")
        if not state:
            return Finished(None, Outcome.NO_STATE)
        with self._bench.database.reading() as session:
            attempt = attempts.by_state(session, state_digest(state))
        if attempt is None:
            return Finished(None, Outcome.STATE_UNKNOWN)
        if not is_bound(attempt, bindings.get(attempt.id[4:12])):
            return Finished(attempt.id, Outcome.OTHER_BROWSER)
        if attempt.stage != Stage.MADE:
            return self._seen_again(attempt)
        if attempt.expires_at <= self._bench.now():
            return self._end(attempt, Stage.MADE, Outcome.STATE_EXPIRED)
        if "code" not in told or "error" in told:
            return self._refused_in_slack(attempt, told)
        if not self._slots.acquire(blocking=False):
            return Finished(attempt.id, None, NextStep.WAITING)
        try:
            return self._exchange(attempt, told["code"])
        finally:
            self._slots.release()

    def _seen_again(self, attempt: Attempt) -> Finished:
        if attempt.stage == Stage.WAITING:
            step = NextStep.RESULT if attempt.outcome == Outcome.WRONG_WORKSPACE else NextStep.SETUP
            return Finished(attempt.id, attempt.outcome, step)
        if attempt.stage == Stage.FINISHED:
            done = attempt.outcome is not None and attempt.outcome.is_success
            return Finished(attempt.id, Outcome.REPLAY_OK if done else attempt.outcome)
        if records.has_died(attempt, self._bench.now()):
            return self._end(attempt, Stage.EXCHANGING, Outcome.SLACK_DOWN)
        return Finished(attempt.id, None, NextStep.WAITING)

    def _refused_in_slack(self, attempt: Attempt, told: Mapping[str, str]) -> Finished:
        word = told.get("error", "")
        if word == "access_denied":
            described = bool(told.get("error_description"))
            return self._end(attempt, Stage.MADE, Outcome.CANCELLED if described else Outcome.CANCELLED_MAYBE_APPROVAL)
        return (
            self._refused(attempt, Stage.MADE, word[:60])
            if word
            else self._end(attempt, Stage.MADE, Outcome.CODE_SPENT_UNKNOWN)
        )

    def _refused(self, attempt: Attempt, stage: Stage, word: str) -> Finished:
        outcome = faults.outcome_of(word)
        if outcome == Outcome.CONFIG_ERROR:
            self._bench.tell_operators(attempt, word)
        return self._end(attempt, stage, outcome, detail=word)

    def _exchange(self, attempt: Attempt, code: str) -> Finished:
        with self._bench.database.transaction() as session:
            mine = attempts.move(
                session, attempt.id, Stage.MADE, stage=Stage.EXCHANGING, exchanging_at=self._bench.now()
            )
            integration = self._bench.integration_of(session, attempt)
        if not mine:
            return Finished(attempt.id, None, NextStep.WAITING)
        try:
            grant = self._bench.gateway.exchange(self._bench.credentials(integration), code, attempt.redirect_uri)
        except SlackRefused as refusal:
            return self._refused(attempt, Stage.EXCHANGING, refusal.code)
        except SlackBusy as busy:
            return self._end(attempt, Stage.EXCHANGING, Outcome.SLACK_BUSY, retry_after_seconds=busy.retry_after)
        except SlackProblem as problem:
            _LOG.warning("install.slack_down", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, Stage.EXCHANGING, Outcome.SLACK_DOWN, detail=problem.sentence)
        except VaultProblem as problem:
            _LOG.error("install.secret_unreadable", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, Stage.EXCHANGING, Outcome.CONFIG_ERROR, detail="encryption_keys")
        try:
            return self._granted(attempt, integration, grant)
        except Problem as problem:
            _LOG.error("install.not_stored", attempt=attempt.id, problem=problem.sentence)
        result = self._gives_back(attempt, integration, grant)
        ended = self._end(attempt, Stage.EXCHANGING, Outcome.STORAGE_ERROR, grant_result=result)
        return replace(ended, grant_result=result)

    def _granted(self, attempt: Attempt, integration: Integration, grant: Grant) -> Finished:
        with self._bench.database.reading() as session:
            link = links.by_id(session, attempt.link_id) if attempt.link_id else None
        choice = records.choice_fixed_by(link)
        if choice is not None:
            outcome = self._settling.settle(attempt.id, Stage.EXCHANGING, grant, choice, confirmed=False)
            if outcome in (*REFUSALS, _GIVEN_UP):
                self._bench.revoke_unused(attempt, integration, grant)
            return Finished(attempt.id, outcome)
        with self._bench.database.transaction() as session:
            is_kept = attempts.move(
                session,
                attempt.id,
                Stage.EXCHANGING,
                stage=Stage.WAITING,
                expires_at=self._bench.now() + LIFETIME,
                waiting_grant=self._bench.seal_grant(attempt.id, grant),
                workspace_id=grant.workspace_id,
                workspace_name=grant.workspace_name,
            )
        if not is_kept:
            self._bench.revoke_unused(attempt, integration, grant)
            return Finished(attempt.id, _GIVEN_UP)
        return Finished(attempt.id, None, NextStep.SETUP)

    def _gives_back(self, attempt: Attempt, integration: Integration, grant: Grant) -> GrantResult:
        """A commit whose answer got lost has stored the grant all the same: that one stays, and so does one nobody can tell of."""
        try:
            with self._bench.database.reading() as session:
                stored = attempts.by_id(session, attempt.id)
        except StorageProblem:
            return GrantResult.LEFT
        is_lost = stored is not None and stored.stage == Stage.EXCHANGING
        return self._bench.revoke_unused(attempt, integration, grant) if is_lost else GrantResult.KEPT

    def _end(self, attempt: Attempt, stage: Stage, outcome: Outcome, **values: object) -> Finished:
        try:
            with self._bench.database.transaction() as session:
                mine = attempts.move(
                    session,
                    attempt.id,
                    stage,
                    stage=Stage.FINISHED,
                    outcome=outcome,
                    finished_at=self._bench.now(),
                    **values,
                )
        except Problem as problem:
            # The page is told all the same; after a minute the attempt reads as `slack_down`.
            _LOG.error("install.outcome_not_stored", attempt=attempt.id, outcome=outcome, problem=problem.sentence)
            return Finished(attempt.id, outcome, NextStep.UNSTORED)
        return Finished(attempt.id, outcome) if mine else Finished(attempt.id, None, NextStep.WAITING)
