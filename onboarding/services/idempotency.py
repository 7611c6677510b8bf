"""Idempotency keys: a repeated request gets the response of the first one, and is performed once.

Responses are stored encrypted and without tokens, so that no copy of a token remains after the token was erased.
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

#: After this, the key of a request whose process died can be used again.
CLAIM_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Claim:
    """The right to respond to the first request with a key."""

    answer_id: str
    claim: str


@dataclass(frozen=True)
class StoredResponse:
    """`body` is JSON without secrets; `connection_id` names the connection whose token is added to it."""

    status: int
    body: str = field(repr=False)
    connection_id: str | None


class Idempotency:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def begin(self, environment_id: str, key: str, method: str, path: str, content: bytes) -> Claim | StoredResponse:
        """Claim the key for the first request, or return the stored response for a repeated one.

        `content` must be the same in both. Raises Refused (`idempotency_key_reused`) if it differs, Conflict
        (`idempotency_in_progress`) while the first request is running, VaultProblem if the response cannot be
        decrypted.
        """
        at, path_digest = self._now(), hashlib.sha256(path.encode()).hexdigest()
        fingerprints = self._vault.fingerprints(content.decode())
        own = Claim(ids.new_id("ans"), ids.new_id("clm"))
        values = {"body_fingerprint": fingerprints[0], "claim": own.claim, "claimed_at": at}
        with self._database.transaction() as session:
            row = {"environment_id": environment_id, "key": key, "method": method, "path": path_digest}
            # The unique key decides between concurrent requests. A query before the INSERT could not.
            if idempotency.claim(session, {**row, **values, "id": own.answer_id}):
                return own
            found = idempotency.find(session, environment_id, key, method, path_digest)
            # The first request failed and freed its key between the two statements.
            if found is None:
                raise _in_progress(key)
            # The process of the first request died, or its stored response is too old.
            lifetime = CLAIM_LIFETIME if found.status is None else RESPONSE_LIFETIME
            if found.claimed_at + lifetime <= at and idempotency.take_over(session, found.id, found.claim, values):
                return Claim(found.id, own.claim)
        if found.body_fingerprint not in fingerprints:
            if found.body is not None:
                # A lost key also changes the fingerprint. In that case, this raises VaultProblem.
                self._vault.open(found.body, _sealed_at(found.id))
            sentence = f'Request with key "{key}" is being reused for a different body'
            raise Refused(sentence, "idempotency-key", "idempotency_key_reused")
        if found.status is None or found.body is None:
            raise _in_progress(key)
        return StoredResponse(found.status, self._vault.open(found.body, _sealed_at(found.id)), found.connection_id)

    def store_in(self, rows: Rows, claim: Claim, response: StoredResponse) -> None:
        """Store the response in the transaction of the write.

        Raises Conflict if another request has taken over the claim: the transaction must be rolled back.
        """
        sealed = self._vault.seal(response.body, _sealed_at(claim.answer_id))
        values = {"status": response.status, "body": sealed, "connection_id": response.connection_id}
        if not idempotency.keep(rows, claim.answer_id, claim.claim, values):
            raise Conflict("This request took too long, and another one has replaced it.", "idempotency_in_progress")

    def store(self, claim: Claim, response: StoredResponse) -> None:
        """Store a response that belongs to no transaction, such as a refusal."""
        with self._database.transaction() as session:
            self.store_in(session, claim, response)

    def release(self, claim: Claim) -> None:
        """Free the key of a request that failed here or at Slack, so that a repeat is performed."""
        with self._database.transaction() as session:
            idempotency.release(session, claim.answer_id, claim.claim)


def _in_progress(key: str) -> Conflict:
    sentence = f'Request with key "{key}" is currently being processed. Please retry after 1 second'
    return Conflict(sentence, "idempotency_in_progress")


def _sealed_at(answer_id: str) -> SealedAt:
    return SealedAt("answers", "body", answer_id)
