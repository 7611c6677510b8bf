"""Revoke access at Slack after a disconnect or a refused install.

The access stays stored, encrypted, until Slack has answered. If this process dies or Slack does not answer, the sweep
of a worker asks again.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from onboarding import changes
from onboarding.callers import SYSTEM
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Problem, SlackBusy, SlackDown, SlackRefused, StorageProblem, VaultProblem
from onboarding.lifetimes import EXCHANGE_LIMIT
from onboarding.outcomes import GrantResult
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.workspace_checks import WorkspaceChecks
from onboarding.slack.gateway import AppCredentials, Gateway
from onboarding.slack.grants import Grant
from onboarding.store import attempts, audit, integrations, revocations, workspace_holders
from onboarding.store.attempts import AttemptRow
from onboarding.store.database import Database, Rows
from onboarding.store.integrations import Integration
from onboarding.store.revocations import RevocationRow
from onboarding.vault import SealedAt, Vault

#: For how long Slack is asked again.
TRIED_FOR = timedelta(days=1)
#: The wait after a failure is as long as the access has waited already, within these limits.
_MIN_WAIT, _MAX_WAIT = timedelta(seconds=30), timedelta(hours=1)
_BATCH = 100
#: After this many failures in a batch, Slack counts as unreachable, and the rest of the batch waits.
_MAX_FAILURES = 3
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Access:
    """The access of one app in one workspace or organization."""

    #: The id of the attempt whose grant it is, or of the audit entry of the disconnect. The result is stored there.
    id: str
    is_grant: bool
    environment_id: str
    integration_id: str
    workspace_id: str
    access_token: str = field(repr=False)
    #: None for a token that does not rotate.
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    #: The workspace's organization; None if it has none, or if it is not known.
    enterprise_id: str | None = None
    #: The workspace's id came from an API caller. The token may belong to another workspace that is in use, so nothing
    #: is revoked until Slack has confirmed the id.
    is_unconfirmed: bool = False


class Revocations:
    def __init__(self, database: Database, vault: Vault, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._vault, self._tokens, self._gateway, self._now = database, vault, tokens, gateway, now
        self._checks = WorkspaceChecks(database, now)

    def access_of(self, attempt: AttemptRow, grant: Grant) -> Access:
        """Return the access of a grant that no connection uses."""
        granted_at, expires_in = attempt.exchanging_at or self._now(), grant.expires_in
        return Access(
            id=attempt.id,
            is_grant=True,
            environment_id=attempt.environment_id,
            integration_id=attempt.integration_id,
            workspace_id=grant.workspace_id,
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_at=granted_at + timedelta(seconds=expires_in) if expires_in else None,
            enterprise_id=grant.enterprise_id,
        )

    def add(self, rows: Rows, access: Access) -> None:
        """Store the access in the caller's transaction.

        The caller then calls `revoke`; if its process dies, a worker asks Slack.
        """
        at = self._now()
        revocations.add(
            rows,
            id=access.id,
            is_grant=access.is_grant,
            environment_id=access.environment_id,
            integration_id=access.integration_id,
            workspace_id=access.workspace_id,
            enterprise_id=access.enterprise_id,
            **self._sealed(access),
            is_unconfirmed=access.is_unconfirmed,
            created_at=at,
            due_at=at + EXCHANGE_LIMIT,
        )
        if access.is_grant:
            attempts.set_grant_result(rows, access.id, GrantResult.PENDING)

    def revoke(self, access: Access, is_stored: bool = True) -> GrantResult:
        """Ask Slack once, and store the result. Return PENDING if Slack did not answer: it is asked again later.

        Revokes nothing and returns KEPT if a connection or a waiting grant uses the workspace. `is_stored`: whether
        `add` has stored the access; without it, Slack is not asked again. Raises StorageProblem if the database does
        not answer; then nothing was revoked.
        """
        return self._revoke(access, self._now(), is_stored)

    def revoke_due(self) -> Iterator[int]:
        """Ask Slack again about access whose process died, or about which Slack did not answer.

        Yields once, after one batch, how many of them have a result now: each takes a request to Slack.
        """
        at, done, failed = self._now(), 0, 0
        with self._database.rows() as rows:
            ids = revocations.due(rows, at, _BATCH)
        for one in ids:
            if failed == _MAX_FAILURES:
                break
            with self._database.changing_rows() as rows:
                row = revocations.claim(rows, one, at, self._now() + EXCHANGE_LIMIT)
            if row is None:
                continue
            if self._retry(row):
                done += 1
            else:
                failed += 1
        yield done

    def _retry(self, row: RevocationRow) -> bool:
        """Ask Slack again, and return whether there is a result now. Raises StorageProblem."""
        try:
            access = self._opened(row)
        except VaultProblem as problem:
            _LOG.error("revocation.unreadable", revocation=row.id, problem=problem.sentence)
            self._end(row, GrantResult.NOT_CONFIRMED)
            return True
        try:
            return self._revoke(access, row.created_at) is not GrantResult.PENDING
        except StorageProblem:
            raise
        except Exception as fault:
            # The others must be tried. The message is not logged, because it may quote a secret.
            _LOG.error("revocation.failed", revocation=row.id, kind=type(fault).__name__)
            return False

    def _revoke(self, access: Access, since: datetime, is_stored: bool = True) -> GrantResult:
        """Do what `revoke` does for access that was stored at `since`."""
        with self._database.reading() as session:
            integration = integrations.by_id(session, access.environment_id, access.integration_id)
            owners = filter(None, (access.workspace_id, access.enterprise_id))
            in_use = any(workspace_holders.uses_workspace(session, access.integration_id, one) for one in owners)
        if integration is None:
            raise LookupError("The integration of the access is missing.")
        try:
            # Revoking removes the app from the whole workspace, also for the other customers there.
            result = GrantResult.KEPT if in_use else self._ask(integration, access)
        except (SlackBusy, SlackDown, VaultProblem) as problem:
            _LOG.warning("revocation.waits", revocation=access.id, problem=problem.code)
            if is_stored and self._now() - since < TRIED_FOR:
                self._postpone(access, since, problem)
                return GrantResult.PENDING
            result = GrantResult.NOT_CONFIRMED
        # If this fails, Slack is asked again later, and answers that the token has been revoked.
        with suppress(StorageProblem):
            self._end(access, result, is_stored)
        return result

    def _ask(self, integration: Integration, access: Access) -> GrantResult:
        """Ask Slack to end the access. Raises SlackBusy, SlackDown, and VaultProblem for the app's secret."""
        rotates = access.refresh_token is not None
        app = self._tokens.app_credentials(integration) if rotates else self._tokens.without_secret(integration)
        try:
            if access.is_unconfirmed:
                if not self._belongs_to_workspace(app, access):
                    return GrantResult.NOT_CONFIRMED
            elif access.expires_at is not None and access.expires_at <= self._now():
                access = self._refreshed(app, access)
            was_there = self._gateway.revoke(app, access.access_token, rotates)
        except SlackRefused as refusal:
            _LOG.warning("revocation.refused", revocation=access.id, code=refusal.code)
            return GrantResult.NOT_CONFIRMED
        return GrantResult.REVOKED if was_there else GrantResult.ALREADY_GONE

    def _belongs_to_workspace(self, app: AppCredentials, access: Access) -> bool:
        """Ask Slack whether the token belongs to the workspace. True if the token no longer works, too.

        Raises SlackBusy and SlackDown.
        """
        try:
            return self._gateway.test(app, access.access_token).workspace_id == access.workspace_id
        except SlackRefused:
            return True

    def _refreshed(self, app: AppCredentials, access: Access) -> Access:
        """Replace an expired token, because apps.uninstall refuses it. Raises SlackProblem.

        The new pair is stored before it is used.
        """
        if access.refresh_token is None:
            return access
        pair, at = self._gateway.refresh(app, access.refresh_token), self._now()
        renewed = replace(
            access,
            access_token=pair.access_token,
            refresh_token=pair.refresh_token or access.refresh_token,
            expires_at=at + timedelta(seconds=pair.expires_in) if pair.expires_in else None,
        )
        with self._database.changing_one() as rows:
            revocations.change(rows, access.id, **self._sealed(renewed))
        return renewed

    def _postpone(self, access: Access, since: datetime, problem: Problem) -> None:
        at = self._now()
        wait = min(max(at - since, _MIN_WAIT), _MAX_WAIT)
        if isinstance(problem, SlackBusy):
            wait = max(wait, timedelta(seconds=problem.retry_after))
        # If this fails, Slack is asked again when the claim of this process is over.
        with suppress(StorageProblem), self._database.changing_one() as rows:
            revocations.change(rows, access.id, due_at=at + wait)

    def _end(self, access: Access | RevocationRow, result: GrantResult, is_stored: bool = True) -> None:
        """Store the result, unless another process has, and erase the access."""
        with self._database.transaction() as session:
            if is_stored and not revocations.remove(session, access.id):
                return
            if access.is_grant:
                self.drop(session, access.environment_id, access.id, result)
            else:
                audit.set_result(session, access.id, result)
            if result is not GrantResult.KEPT:
                self._checks.enqueue(session, access.integration_id, access.workspace_id)

    def drop(self, rows: Rows, environment_id: str, attempt_id: str, result: GrantResult) -> None:
        """Store the result of revoking an attempt's unused grant, in the caller's transaction."""
        attempts.set_grant_result(rows, attempt_id, result)
        kind = ChangeKind.GRANT_DROPPED
        changes.record(rows, Change(kind, SYSTEM, self._now(), environment_id, attempt_id, result=result))

    def _sealed(self, access: Access) -> dict[str, object]:
        pair = json.dumps({"accessToken": access.access_token, "refreshToken": access.refresh_token})
        return {"access": self._vault.seal(pair, _sealed_at(access.id)), "expires_at": access.expires_at}

    def _opened(self, row: RevocationRow) -> Access:
        """Decrypt the access. Raises VaultProblem."""
        pair = json.loads(self._vault.open(row.access, _sealed_at(row.id)))
        return Access(
            row.id,
            row.is_grant,
            row.environment_id,
            row.integration_id,
            row.workspace_id,
            pair["accessToken"],
            pair["refreshToken"],
            row.expires_at,
            row.enterprise_id,
            row.is_unconfirmed,
        )


def _sealed_at(revocation_id: str) -> SealedAt:
    return SealedAt("revocations", "access", revocation_id)
