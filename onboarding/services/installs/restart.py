"""StartElsewhere: start an install again in the browser that Slack sent back, when another browser had started it."""

from dataclasses import replace

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import LinkDetails, LinkProblem, NotFound
from onboarding.outcomes import Outcome
from onboarding.services.installs import bindings, records
from onboarding.services.installs.bindings import digest
from onboarding.services.installs.records import StartedAttempt
from onboarding.services.installs.result_record import Result
from onboarding.services.installs.start import InstallStarter
from onboarding.settings import Settings
from onboarding.signing import IdSigner
from onboarding.store import attempts, installs
from onboarding.store.attempts import Stage
from onboarding.store.database import Database
from onboarding.store.installs import AttemptRows
from onboarding.translatable import marked


class StartElsewhere:
    """Start an attempt again without showing its link.

    The address that Slack redirects to contains the state. A person in another browser may have received this address
    from somebody else, so they must not get the link. The page has a token that is valid as long as the first attempt,
    and the new attempt expires with the first one. Only a link that fixes the customer can be started this way: the
    set-up page of another link shows accounts, or accepts every account.
    """

    def __init__(self, database: Database, settings: Settings, starter: InstallStarter, now: Clock) -> None:
        self._database, self._starter, self._now = database, starter, now
        self._signer = IdSigner(settings.signing_keys, "restart")

    def restart_token(self, attempt_id: str) -> str:
        return self._signer.sign(attempt_id)

    def view_elsewhere(self, token: str) -> Result:
        """Return what the page shows: neither account nor link. Raises NotFound for an invalid token."""
        found = self._first(token)
        attempt = found.attempt
        return Result(
            outcome=Outcome.OTHER_BROWSER,
            attempt_id=attempt.id,
            reference=ids.attempt_reference(attempt.id),
            branding=found.integration.branding,
            integration_identifier=found.integration.identifier,
            environment_id=attempt.environment_id,
            restart_token=token if self._may_start(found) else None,
            is_operators=attempt.operator_label is not None,
        )

    def start_elsewhere(self, token: str) -> StartedAttempt:
        """Start an attempt that expires with the first one. Raises NotFound for an expired token, LinkProblem."""
        found = self._first(token)
        first = found.attempt
        if first.link_id is None or not self._may_start(found):
            raise NotFound(marked("This install can’t be started again here."))
        try:
            started = self._starter.start_link(first.link_id)
        except LinkProblem as problem:
            # The page of a used link leads to its result, and may name the way back.
            raise LinkProblem(problem.code, details=LinkDetails(problem.details.branding)) from None
        binding = bindings.UNOPENED_PREFIX + ids.new_secret()
        values = {"expires_at": first.expires_at, "binding_digest": digest(binding)}
        with self._database.changing_rows() as rows:
            stage = Stage.FINISHED if started.authorize_url is None else Stage.CREATED
            attempts.move(rows, started.attempt_id, stage, **values)
        return replace(started, binding=binding)

    def _first(self, token: str) -> AttemptRows:
        try:
            attempt_id = self._signer.read(token)
        except ValueError:
            raise NotFound(marked("There is no such install.")) from None
        with self._database.rows() as rows:
            found = installs.attempt_by_id(rows, attempt_id)
        if found is None:
            raise NotFound(marked("There is no such install."))
        return found

    def _may_start(self, found: AttemptRows) -> bool:
        attempt = found.attempt
        if attempt.stage is not Stage.CREATED or attempt.expires_at <= self._now():
            return False
        return records.choice_fixed_by(found.link, attempt.scopes) is not None
