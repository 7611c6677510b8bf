"""Erase installations that no connection uses any more, and have their access revoked at Slack."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from onboarding import changes
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.outcomes import GrantResult
from onboarding.services.revocations import Access, Revocations
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import erasure
from onboarding.store.erasure import ErasedInstallation
from onboarding.store.installations import Installation
from onboarding.store.rows import Rows

_LOG = structlog.get_logger(__name__)


class Installations:
    def __init__(self, tokens: Tokens, revocations: Revocations, now: Clock) -> None:
        self._tokens, self._revocations, self._now = tokens, revocations, now

    def erase_unused(self, rows: Rows, among: Sequence[str], before: datetime, actor: Actor) -> int:
        """Erase the installations of `among` that no connection uses, in the caller's transaction. Return how many.

        Skips those whose token is newer than `before`, and those that another transaction has locked to attach a
        connection. A worker revokes the access at Slack within two minutes, unless a connection uses the workspace by
        then. Tokens that an API caller sent are only erased: the caller decides whether to revoke them.
        """
        erased = erasure.erase_orphaned_installations(rows, among, before)
        for one in erased:
            access, result = self._access_to_revoke(one)
            kind = ChangeKind.INSTALLATION_ERASED
            change = Change(kind, actor, self._now(), one.environment_id, one.id, result=result, detail=one.slack_key)
            entry_id = changes.record(rows, change)
            if access is not None:
                self._revocations.add(rows, replace(access, id=entry_id))
        return len(erased)

    def access_of(self, one: Installation | ErasedInstallation, workspace_id: str) -> Access:
        """Return the access of an installation, without the id of a revocation. Raises VaultProblem."""
        sealed = one.refresh_token
        return Access(
            id="",
            is_grant=False,
            environment_id=one.environment_id,
            integration_id=one.integration_id,
            workspace_id=workspace_id,
            access_token=self._tokens.access_token(one.id, one.access_token),
            refresh_token=self._tokens.refresh_token(one.id, sealed) if sealed is not None else None,
            expires_at=one.expires_at,
            is_unconfirmed=one.origin == "api",
        )

    def _access_to_revoke(self, one: ErasedInstallation) -> tuple[Access | None, GrantResult | None]:
        """Return the access, if it must be revoked, and the result until Slack has answered."""
        if one.origin != "install":
            return None, None
        owner_id = one.slack_key.partition(":")[2]
        try:
            return self.access_of(one, owner_id), GrantResult.PENDING
        except VaultProblem as problem:
            _LOG.error("installation.unreadable", installation=one.id, problem=problem.sentence)
            return None, GrantResult.NOT_CONFIRMED
