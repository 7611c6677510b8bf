"""Idempotency keys: a repeated request gets the answer of the first, and nothing happens twice (contract.md A1).

An answer is kept without the token in it. The token stays with its connection, and a replay fetches it from there, if it is
the one still: an answer must not outlive the token that it told.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import Conflict, Refused
from onboarding.lifetimes import RESPONSE_LIFETIME
from onboarding.store import idempotency
from onboarding.store.database import Database, Rows
from onboarding.vault import SealedAt, Vault

#: A process that died in the middle frees the key by then.
CLAIM_LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Claim:
    """The right to answer the first request with this key."""

    answer_id: str
    claim: str


@dataclass(frozen=True)
class StoredResponse:
    """What was answered. `body` is JSON without a token; `connection_id` names whose token belongs into it."""

    status: int
    body: str = field(repr=False)
    connection_id: str | None


class Idempotency:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def begin(self, environment_id: str, key: str, method: str, address: str, body: bytes) -> Claim | StoredResponse:
        """`body`: what may not differ. Raises Refused (`idempotency_key_reused`) where it does, Conflict (`idempotency_in_progress`)."""
        at, path = self._now(), hashlib.sha256(address.encode()).hexdigest()
        marks = self._vault.fingerprints(body.decode())
        mine = Claim(ids.new_id("ans"), ids.new_id("clm"))
        values = {"body_fingerprint": marks[0], "claim": mine.claim, "claimed_at": at}
        with self._database.transaction() as session:
            row = {"environment_id": environment_id, "key": key, "method": method, "path": path}
            if idempotency.claim(session, {**row, **values, "id": mine.answer_id}):
                return mine
            found = idempotency.find(session, environment_id, key, method, path)
            if found is None:
                raise _busy(key)
            life = CLAIM_LIFE if found.status is None else RESPONSE_LIFETIME
            if found.claimed_at + life <= at and idempotency.take_over(session, found.id, found.claim, values):
                return Claim(found.id, mine.claim)
        if found.body_fingerprint not in marks:
            sentence = f'Request with key "{key}" is being reused for a different body'
            raise Refused(sentence, "idempotency-key", "idempotency_key_reused")
        if found.status is None:
            raise _busy(key)
        return StoredResponse(found.status, self._vault.open(found.body, _place(found.id)), found.connection_id)

    def keep_in(self, rows: Rows, claim: Claim, status: int, body: str, connection_id: str | None) -> None:
        """In the transaction that made what is told of. Raises Conflict where the claim was lost: that rolls it back."""
        sealed = self._vault.seal(body, _place(claim.answer_id))
        if not idempotency.keep(rows, claim.answer_id, claim.claim, status, sealed, connection_id):
            raise Conflict(
                "This request took too long, and another one has taken its place.", "idempotency_in_progress"
            )

    def keep(self, claim: Claim, status: int, body: str, connection_id: str | None = None) -> None:
        """A refusal, or what was not written in one transaction: nothing has to go with it."""
        with self._database.transaction() as session:
            self.keep_in(session, claim, status, body, connection_id)

    def release(self, claim: Claim) -> None:
        """The request failed on our side or Slack's: a repeat is a new try."""
        with self._database.transaction() as session:
            idempotency.release(session, claim.answer_id, claim.claim)


def _busy(key: str) -> Conflict:
    sentence = f'Request with key "{key}" is currently being processed. Please retry after 1 second'
    return Conflict(sentence, "idempotency_in_progress")


def _place(answer_id: str) -> SealedAt:
    return SealedAt("answers", "body", answer_id)
