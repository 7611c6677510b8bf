"""StartElsewhere: start an install again in the browser that Slack sent back, when another browser had started it."""

import hashlib
from dataclasses import replace

from itsdangerous import BadSignature, Signer

from onboarding import ids
from onboarding.errors import LinkProblem, NotFound
from onboarding.outcomes import Outcome
from onboarding.services.installs import records
from onboarding.services.installs.records import StartedAttempt, digest
from onboarding.services.installs.result import Result
from onboarding.services.installs.shared import Workbench
from onboarding.services.installs.start import InstallStarter
from onboarding.store import attempts, links
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.database import Session


class StartElsewhere:
    """A state is in Slack's address, so a person who knows one must not get the link that it was started with.

    The page carries a token that works as long as the attempt, and the new attempt ends with the first one. Only links that
    fix the customer can be started so: the set-up page of any other link shows accounts, or accepts every account.
    """

    def __init__(self, bench: Workbench, starter: InstallStarter) -> None:
        self._bench, self._starter = bench, starter
        # itsdangerous signs with the last key and accepts them all.
        keys = list(reversed(bench.settings.signing_keys))
        self._signer = Signer(keys, salt="onboarding.restart", key_derivation="hmac", digest_method=hashlib.sha256)

    def token(self, attempt_id: str) -> str:
        return self._signer.sign(attempt_id.encode()).decode()

    def view(self, token: str) -> Result:
        """Return what the page shows: neither account nor link. Raises NotFound for an invalid token."""
        with self._bench.database.reading() as session:
            attempt = self._attempt(session, token)
            integration = self._bench.integration_of(session, attempt)
            return Result(
                outcome=Outcome.OTHER_BROWSER,
                attempt_id=attempt.id,
                reference=records.reference(attempt.id),
                app_name=integration.name,
                integration_identifier=integration.identifier,
                restart_token=token if self._may_start(session, attempt) else None,
                is_operators=attempt.operator_id is not None,
            )

    def start(self, token: str) -> StartedAttempt:
        """Start an attempt that ends with the first one. Raises NotFound if the token does not work any more, LinkProblem."""
        with self._bench.database.reading() as session:
            first = self._attempt(session, token)
            if first.link_id is None or not self._may_start(session, first):
                raise NotFound("This install can’t be started again here.")
        try:
            started = self._starter.start_link(first.link_id)
        except LinkProblem as problem:
            # The page of a used link leads to its result, and may name the way back.
            raise LinkProblem(problem.code, app_name=problem.app_name) from None
        binding = records.UNOPENED_PREFIX + ids.new_secret()
        with self._bench.database.transaction() as session:
            values = {"expires_at": first.expires_at, "binding_digest": digest(binding)}
            attempts.move(session, started.attempt_id, Stage.MADE, stage=Stage.MADE, **values)
        return replace(started, binding=binding)

    def _attempt(self, session: Session, token: str) -> Attempt:
        try:
            attempt_id = self._signer.unsign(token.encode()).decode()
        except (BadSignature, UnicodeError):
            raise NotFound("There is no such install.") from None
        found = attempts.by_id(session, attempt_id)
        if found is None:
            raise NotFound("There is no such install.")
        return found

    def _may_start(self, session: Session, attempt: Attempt) -> bool:
        if attempt.stage != Stage.MADE or attempt.expires_at <= self._bench.now():
            return False
        link = links.by_id(session, attempt.link_id) if attempt.link_id else None
        return records.choice_fixed_by(link) is not None
