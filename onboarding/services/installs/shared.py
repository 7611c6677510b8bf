"""What every step of an install needs: the store, the vault, Slack, and how a Slack app's credentials are opened."""

import json
from dataclasses import dataclass

import structlog

from onboarding.clock import Clock
from onboarding.errors import Problem, SlackProblem, StorageProblem, VaultProblem
from onboarding.outcomes import GrantResult
from onboarding.services.installs.records import digest
from onboarding.services.tokens import Tokens
from onboarding.settings import Settings
from onboarding.slack.faults import operator_hint
from onboarding.slack.gateway import Credentials, Gateway
from onboarding.slack.grants import Grant
from onboarding.store import attempts, audit, connections, integrations
from onboarding.store.attempts import Attempt
from onboarding.store.database import Database, Session
from onboarding.store.integrations import Integration
from onboarding.vault import SealedAt, Vault

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Workbench:
    database: Database
    vault: Vault
    gateway: Gateway
    settings: Settings
    now: Clock
    tokens: Tokens

    def credentials(self, integration: Integration) -> Credentials:
        return self.tokens.credentials(integration)

    def integration_of(self, session: Session, attempt: Attempt) -> Integration:
        found = integrations.by_id(session, attempt.environment_id, attempt.integration_id)
        if found is None:
            raise LookupError("An attempt refers to its integration by a foreign key.")
        return found

    def seal_grant(self, attempt_id: str, grant: Grant) -> object:
        return self.vault.seal(json.dumps(grant.as_dict()), SealedAt("attempts", "waiting_grant", attempt_id))

    def open_grant(self, attempt: Attempt) -> Grant:
        if attempt.waiting_grant is None:
            raise LookupError("A waiting attempt has its grant.")
        text = self.vault.open(attempt.waiting_grant, SealedAt("attempts", "waiting_grant", attempt.id))
        return Grant.from_dict(json.loads(text))

    def revoke_unused(self, attempt: Attempt, integration: Integration, grant: Grant) -> GrantResult:
        """Takes the app out of a workspace that nobody connected in the end.

        The result: revoked, already_gone, not_confirmed, kept or left. A workspace that anything else uses is `kept`, and
        one of which the database cannot tell is `left` alone, too.
        """
        try:
            with self.database.reading() as session:
                places = filter(None, (grant.workspace_id, grant.enterprise_id))
                in_use = any(connections.uses_workspace(session, integration.id, place) for place in places)
        except StorageProblem as problem:
            _LOG.error("grant.left", attempt=attempt.id, problem=problem.sentence)
            return GrantResult.LEFT
        result = GrantResult.KEPT if in_use else self._revoked(integration, grant)
        self._keep_result(attempt, result)
        return result

    def revoke_waiting(self, attempt: Attempt, integration: Integration) -> None:
        """The same for the grant that waits with an attempt. One that does not open cannot be given back."""
        try:
            grant = self.open_grant(attempt)
        except VaultProblem as problem:
            _LOG.error("grant.unreadable", attempt=attempt.id, problem=problem.sentence)
            self._keep_result(attempt, GrantResult.NOT_CONFIRMED)
        else:
            self.revoke_unused(attempt, integration, grant)

    def _keep_result(self, attempt: Attempt, result: GrantResult) -> None:
        try:
            with self.database.transaction() as session:
                attempts.set_grant_result(session, attempt.id, result)
                self.note(session, attempt.environment_id, "system", "grant.dropped", attempt.id, result)
        except Problem as problem:
            _LOG.error("grant.result_not_stored", attempt=attempt.id, result=result, problem=problem.sentence)

    def _revoked(self, integration: Integration, grant: Grant) -> GrantResult:
        try:
            rotates = grant.refresh_token is not None
            gone = self.gateway.revoke(self.credentials(integration), grant.access_token, rotates)
        except (SlackProblem, VaultProblem):
            return GrantResult.NOT_CONFIRMED
        return GrantResult.REVOKED if gone else GrantResult.ALREADY_GONE

    def tell_operators(self, attempt: Attempt, word: str) -> None:
        """In the log: the page says that it was noted for them. `word`: Slack's, or one of ours (`slack.faults`)."""
        _LOG.error("install.refused", attempt=attempt.id, word=word, hint=operator_hint(word))

    def note(self, session: Session, environment_id: str, actor: str, action: str, subject: str, detail: str) -> None:
        audit.note(session, environment_id, self.now(), actor, action, subject, detail)


def state_digest(state: str) -> str:
    return digest(f"state:{state}")


def actor_of(attempt: Attempt) -> str:
    return f"operator:{attempt.operator_id}" if attempt.operator_id else f"link:{attempt.link_id}"
