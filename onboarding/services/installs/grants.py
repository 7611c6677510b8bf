"""Grants: exchange Slack's code for one, keep it sealed while the person chooses, and revoke it if nothing uses it."""

import json
from contextlib import suppress

import structlog

from onboarding.errors import Problem, StorageProblem, VaultProblem
from onboarding.outcomes import GrantResult
from onboarding.sealed import Sealed
from onboarding.services.revocations import Revocations
from onboarding.services.tokens.sealing import Tokens
from onboarding.slack.gateway import Gateway
from onboarding.slack.grants import Grant
from onboarding.store.attempts import AttemptRow
from onboarding.store.database import Database, Rows
from onboarding.store.integrations import IntegrationRow
from onboarding.vault import SealedAt, Vault

_LOG = structlog.get_logger(__name__)


class Grants:
    def __init__(
        self, database: Database, vault: Vault, tokens: Tokens, gateway: Gateway, revocations: Revocations
    ) -> None:
        self._database, self._vault, self._tokens, self._gateway = database, vault, tokens, gateway
        self._revocations = revocations

    def exchange(self, attempt: AttemptRow, integration: IntegrationRow, code: str) -> Grant:
        """Exchange Slack's code, once. Raises SlackRefused, SlackBusy, SlackDown, VaultProblem."""
        return self._gateway.exchange(self._tokens.app_credentials(integration), code, attempt.redirect_uri)

    def seal(self, attempt_id: str, grant: Grant) -> Sealed:
        return self._vault.seal(json.dumps(grant.as_dict()), _sealed_at(attempt_id))

    def open(self, attempt: AttemptRow) -> Grant:
        """Return the grant that waits with an attempt. Raises VaultProblem."""
        if attempt.waiting_grant is None:
            raise LookupError("The attempt has no grant.")
        return Grant.from_dict(json.loads(self._vault.open(attempt.waiting_grant, _sealed_at(attempt.id))))

    def open_if_readable(self, attempt: AttemptRow) -> Grant | None:
        """Return the grant that waits with an attempt. None if there is none, or if it cannot be decrypted."""
        if attempt.waiting_grant is None:
            return None
        try:
            return self.open(attempt)
        except VaultProblem as problem:
            _LOG.error("grant.unreadable", attempt=attempt.id, problem=problem.sentence)
            return None

    def refuse(self, rows: Rows, attempt: AttemptRow, grant: Grant | None) -> None:
        """Store in the caller's transaction that no connection uses the grant.

        `grant`: None if it cannot be decrypted. The caller then calls `revoke_refused`; if its process dies, a worker
        revokes the grant.
        """
        if grant is not None:
            self._revocations.add(rows, self._revocations.access_of(attempt, grant))
        else:
            self._revocations.drop(rows, attempt.environment_id, attempt.id, GrantResult.NOT_CONFIRMED)

    def revoke_refused(self, attempt: AttemptRow, grant: Grant | None) -> None:
        """Remove the app from the workspace, unless a connection or a waiting grant uses it there."""
        if grant is not None:
            with suppress(StorageProblem):
                self._revocations.revoke(self._revocations.access_of(attempt, grant))

    def revoke_unused(self, attempt: AttemptRow, grant: Grant) -> GrantResult:
        """Store a grant that no connection uses, and revoke it as `revoke_refused` does. Return the result.

        Revokes nothing and returns `LEFT` if the database does not answer.
        """
        access, is_stored = self._revocations.access_of(attempt, grant), True
        try:
            with self._database.changing_rows() as rows:
                self._revocations.add(rows, access)
        except Problem as problem:
            is_stored = False
            _LOG.error("grant.not_kept", attempt=attempt.id, problem=problem.sentence)
        try:
            return self._revocations.revoke(access, is_stored)
        except StorageProblem as problem:
            _LOG.error("grant.left", attempt=attempt.id, problem=problem.sentence)
            return GrantResult.LEFT


def _sealed_at(attempt_id: str) -> SealedAt:
    return SealedAt("attempts", "waiting_grant", attempt_id)
