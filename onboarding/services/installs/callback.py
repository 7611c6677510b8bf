"""InstallCallback: Slack has sent the person back."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import structlog

from onboarding import concurrency
from onboarding.errors import Problem, SlackBusy, SlackProblem, SlackRefused, StorageProblem, VaultProblem
from onboarding.services.installs import records
from onboarding.services.installs.complete import REFUSALS, InstallCompleter
from onboarding.services.installs.records import LIFETIME, Finished, is_bound
from onboarding.services.installs.shared import Workbench, state_digest
from onboarding.slack import faults
from onboarding.slack.grants import Grant
from onboarding.store import attempts, links
from onboarding.store.attempts import Attempt
from onboarding.store.integrations import Integration

_LOG = structlog.get_logger(__name__)
#: Installs that wait on Slack may not take a process's last threads: eight stay for the pages and the API.
SLOTS = concurrency.THREADS - 8
#: What the sweep has said of an attempt whose exchange took longer than a minute. Nobody stores its grant any more.
_GIVEN_UP = "slack_down"


class InstallCallback:
    def __init__(self, bench: Workbench, settling: InstallCompleter) -> None:
        self._bench, self._settling = bench, settling
        self._slots = threading.BoundedSemaphore(SLOTS)

    def handle(self, told: Mapping[str, str], bindings: Mapping[str, str]) -> Finished:
        """One callback. `told` is its query; `bindings` are the browser's secrets by attempt id's cookie name.

        The state is looked at before anything else that Slack or anyone says. Raises StorageProblem when the attempt
        cannot be read.
        """
        state = told.get("state")
        if not state:
            return Finished(None, "no_state")
        with self._bench.database.reading() as session:
            attempt = attempts.by_state(session, state_digest(state))
        if attempt is None:
            return Finished(None, "state_unknown")
        if not is_bound(attempt, bindings.get(attempt.id[4:12])):
            return Finished(attempt.id, "other_browser")
        if attempt.stage != "made":
            return self._seen_again(attempt)
        if attempt.expires_at <= self._bench.now():
            return self._end(attempt, "made", "state_expired")
        if "code" not in told or "error" in told:
            return self._refused_in_slack(attempt, told)
        if not self._slots.acquire(blocking=False):
            return Finished(attempt.id, None, "waiting")
        try:
            return self._exchange(attempt, told["code"])
        finally:
            self._slots.release()

    def _seen_again(self, attempt: Attempt) -> Finished:
        if attempt.stage == "waiting":
            step = "result" if attempt.outcome == "wrong_workspace" else "setup"
            return Finished(attempt.id, attempt.outcome, step)
        if attempt.stage == "finished":
            done = records.is_success(attempt.outcome)
            return Finished(attempt.id, "replay_ok" if done else attempt.outcome)
        if records.has_died(attempt, self._bench.now()):
            return self._end(attempt, "exchanging", "slack_down")
        return Finished(attempt.id, None, "waiting")

    def _refused_in_slack(self, attempt: Attempt, told: Mapping[str, str]) -> Finished:
        word = told.get("error", "")
        if word == "access_denied":
            described = bool(told.get("error_description"))
            return self._end(attempt, "made", "cancelled" if described else "cancelled_maybe_approval")
        return self._refused(attempt, "made", word[:60]) if word else self._end(attempt, "made", "code_spent_unknown")

    def _refused(self, attempt: Attempt, stage: str, word: str) -> Finished:
        outcome = faults.outcome_of(word)
        if outcome == "config_error":
            self._bench.tell_operators(attempt, word)
        return self._end(attempt, stage, outcome, detail=word)

    def _exchange(self, attempt: Attempt, code: str) -> Finished:
        with self._bench.database.transaction() as session:
            mine = attempts.move(session, attempt.id, "made", stage="exchanging", exchanging_at=self._bench.now())
            integration = self._bench.integration_of(session, attempt)
        if not mine:
            return Finished(attempt.id, None, "waiting")
        try:
            grant = self._bench.gateway.exchange(self._bench.credentials(integration), code, attempt.redirect_uri)
        except SlackRefused as refusal:
            return self._refused(attempt, "exchanging", refusal.code)
        except SlackBusy as busy:
            return self._end(attempt, "exchanging", "slack_busy", retry_after_seconds=busy.retry_after)
        except SlackProblem as problem:
            _LOG.warning("install.slack_down", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, "exchanging", "slack_down", detail=problem.sentence)
        except VaultProblem as problem:
            _LOG.error("install.secret_unreadable", attempt=attempt.id, problem=problem.sentence)
            return self._end(attempt, "exchanging", "config_error", detail="encryption_keys")
        try:
            return self._granted(attempt, integration, grant)
        except Problem as problem:
            _LOG.error("install.not_stored", attempt=attempt.id, problem=problem.sentence)
        result = self._gives_back(attempt, integration, grant)
        ended = self._end(attempt, "exchanging", "storage_error", detail=f"{attempts.GRANT}{result}")
        return replace(ended, grant_result=result)

    def _granted(self, attempt: Attempt, integration: Integration, grant: Grant) -> Finished:
        with self._bench.database.reading() as session:
            link = links.by_id(session, attempt.link_id) if attempt.link_id else None
        choice = records.choice_fixed_by(link)
        if choice is not None:
            outcome = self._settling.settle(attempt.id, "exchanging", grant, choice, confirmed=False)
            if outcome in (*REFUSALS, _GIVEN_UP):
                self._bench.revoke_unused(attempt, integration, grant)
            return Finished(attempt.id, outcome)
        with self._bench.database.transaction() as session:
            is_kept = attempts.move(
                session,
                attempt.id,
                "exchanging",
                stage="waiting",
                expires_at=self._bench.now() + LIFETIME,
                waiting_grant=self._bench.seal_grant(attempt.id, grant),
                workspace_id=grant.workspace_id,
                workspace_name=grant.workspace_name,
            )
        if not is_kept:
            self._bench.revoke_unused(attempt, integration, grant)
            return Finished(attempt.id, _GIVEN_UP)
        return Finished(attempt.id, None, "setup")

    def _gives_back(self, attempt: Attempt, integration: Integration, grant: Grant) -> str:
        """A commit whose answer got lost has stored the grant all the same: that one stays, and so does one nobody can tell of."""
        try:
            with self._bench.database.reading() as session:
                stored = attempts.by_id(session, attempt.id)
        except StorageProblem:
            return "left"
        is_lost = stored is not None and stored.stage == "exchanging"
        return self._bench.revoke_unused(attempt, integration, grant) if is_lost else "kept"

    def _end(self, attempt: Attempt, stage: str, outcome: str, **values: object) -> Finished:
        try:
            with self._bench.database.transaction() as session:
                mine = attempts.move(
                    session,
                    attempt.id,
                    stage,
                    stage="finished",
                    outcome=outcome,
                    finished_at=self._bench.now(),
                    **values,
                )
        except Problem as problem:
            # The page is told all the same; after a minute the attempt reads as `slack_down`.
            _LOG.error("install.outcome_not_stored", attempt=attempt.id, outcome=outcome, problem=problem.sentence)
            return Finished(attempt.id, outcome, "unstored")
        return Finished(attempt.id, outcome) if mine else Finished(attempt.id, None, "waiting")
