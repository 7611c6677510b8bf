"""Grants: exchange Slack's code for one, keep it sealed while the person chooses, and revoke it if nothing uses it."""

import json

import structlog

from onboarding import changes
from onboarding.callers import SYSTEM
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Problem, SlackProblem, StorageProblem, VaultProblem
from onboarding.outcomes import GrantResult
from onboarding.sealed import Sealed
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.workspace_checks import WorkspaceChecks
from onboarding.slack.gateway import Gateway
from onboarding.slack.grants import Grant
from onboarding.store import attempts, installs, workspace_holders
from onboarding.store.attempts import AttemptRow, Stage
from onboarding.store.database import Database
from onboarding.store.integrations import IntegrationRow
from onboarding.vault import SealedAt, Vault

_LOG = structlog.get_logger(__name__)


class Grants:
    def __init__(self, database: Database, vault: Vault, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._vault, self._tokens, self._gateway, self._now = database, vault, tokens, gateway, now
        self._checks = WorkspaceChecks(database, now)

    def exchange(self, attempt: AttemptRow, integration: IntegrationRow, code: str) -> Grant:
        """Exchange Slack's code, once. Raises SlackRefused, SlackBusy, SlackDown, VaultProblem."""
        return self._gateway.exchange(self._tokens.app_credentials(integration), code, attempt.redirect_uri)

    def seal(self, attempt_id: str, grant: Grant) -> Sealed:
        return self._vault.seal(json.dumps(grant.as_dict()), _sealed_at(attempt_id))

    def open(self, attempt: AttemptRow) -> Grant:
        """Return the grant that waits with an attempt. Raises VaultProblem."""
        if attempt.waiting_grant is None:
            raise LookupError("A waiting attempt has its grant.")
        return Grant.from_dict(json.loads(self._vault.open(attempt.waiting_grant, _sealed_at(attempt.id))))

    def revoke_unused(self, attempt: AttemptRow, integration: IntegrationRow, grant: Grant) -> GrantResult:
        """Remove the app from the workspace, unless a connection or a waiting grant uses it there.

        Stores the result with the attempt. Revokes nothing (`LEFT`) if the database does not answer. The grant is
        stored until then: if this process dies, the sweep calls `revoke_left`.
        """
        self._keep(attempt, grant)
        try:
            with self._database.rows() as rows:
                workspaces = filter(None, (grant.workspace_id, grant.enterprise_id))
                in_use = any(workspace_holders.uses_workspace(rows, integration.id, one) for one in workspaces)
        except StorageProblem as problem:
            _LOG.error("grant.left", attempt=attempt.id, problem=problem.sentence)
            return GrantResult.LEFT
        # Revoking removes the app from the whole workspace, also for the other customers there.
        result = GrantResult.KEPT if in_use else self._revoke(integration, grant)
        self._store(attempt, result, None if in_use else grant.workspace_id)
        return result

    def revoke_waiting(self, attempt: AttemptRow, integration: IntegrationRow) -> None:
        """Revoke the grant that waits with an attempt, as `revoke_unused` does, if it can be decrypted."""
        try:
            grant = self.open(attempt)
        except VaultProblem as problem:
            _LOG.error("grant.unreadable", attempt=attempt.id, problem=problem.sentence)
            self._store(attempt, GrantResult.NOT_CONFIRMED)
        else:
            self.revoke_unused(attempt, integration, grant)

    def revoke_left(self, attempt_id: str) -> None:
        """Revoke the grant of a finished attempt whose process died before it had revoked it."""
        with self._database.rows() as rows:
            found = installs.attempt_by_id(rows, attempt_id)
        if found is not None and found.attempt.stage is Stage.FINISHED and found.attempt.waiting_grant is not None:
            self.revoke_waiting(found.attempt, found.integration)

    def _keep(self, attempt: AttemptRow, grant: Grant) -> None:
        if attempt.waiting_grant is not None:
            return
        try:
            with self._database.changing_one() as rows:
                attempts.keep_grant(rows, attempt.id, self.seal(attempt.id, grant))
        except Problem as problem:
            _LOG.error("grant.not_kept", attempt=attempt.id, problem=problem.sentence)

    def _revoke(self, integration: IntegrationRow, grant: Grant) -> GrantResult:
        try:
            credentials = self._tokens.app_credentials(integration)
            was_there = self._gateway.revoke(credentials, grant.access_token, rotates=grant.refresh_token is not None)
        except (SlackProblem, VaultProblem):
            return GrantResult.NOT_CONFIRMED
        return GrantResult.REVOKED if was_there else GrantResult.ALREADY_GONE

    def _store(self, attempt: AttemptRow, result: GrantResult, revoked_workspace_id: str | None = None) -> None:
        change = Change(
            ChangeKind.GRANT_DROPPED, SYSTEM, self._now(), attempt.environment_id, attempt.id, result=result
        )
        try:
            with self._database.changing_rows() as rows:
                attempts.set_grant_result(rows, attempt.id, result)
                changes.record(rows, change)
                if revoked_workspace_id is not None:
                    self._checks.enqueue(rows, attempt.integration_id, revoked_workspace_id)
        except Problem as problem:
            _LOG.error("grant.result_not_stored", attempt=attempt.id, result=result, problem=problem.sentence)


def _sealed_at(attempt_id: str) -> SealedAt:
    return SealedAt("attempts", "waiting_grant", attempt_id)
