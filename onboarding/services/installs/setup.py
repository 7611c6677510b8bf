"""SetupStep: while a grant waits, the person says whose the connection will be."""

from dataclasses import dataclass
from datetime import datetime

from onboarding.errors import NotFound, Refused
from onboarding.outcomes import Outcome
from onboarding.services.installs import records
from onboarding.services.installs.complete import REFUSALS, InstallCompleter
from onboarding.services.installs.records import Choice, Finished, is_bound
from onboarding.services.installs.shared import Workbench
from onboarding.store import attempts, contexts, links, subscribers
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.links import Link

_SUGGESTIONS = 50


@dataclass(frozen=True)
class ContextSuggestion:
    type: str
    id: str


@dataclass(frozen=True)
class SetupPage:
    """What the set-up page shows. `modes` are those that the link leaves open."""

    app_name: str
    workspace_id: str
    workspace_name: str | None
    kind: str
    mode: str | None
    modes: tuple[str, ...]
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_context_keys: tuple[str, ...]
    subscriber_suggestions: tuple[str, ...]
    context_suggestions: tuple[ContextSuggestion, ...]
    expires_at: datetime


@dataclass(frozen=True)
class Declined:
    """What another try of the same install has to know."""

    link_id: str | None
    environment_id: str
    integration_identifier: str
    expected_workspace_id: str | None


@dataclass(frozen=True)
class SetupInput:
    """What came out of the form, already checked for its form."""

    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_context: str | None


class SetupStep:
    def __init__(self, bench: Workbench, settling: InstallCompleter) -> None:
        self._bench, self._settling = bench, settling

    def view(self, attempt_id: str, binding: str | None) -> SetupPage | Finished:
        """The set-up page, or where to go when there is nothing (more) to set up. Raises NotFound for another browser."""
        with self._bench.database.reading() as session:
            attempt = self._mine(attempts.by_id(session, attempt_id), binding)
            if attempt.stage != Stage.WAITING or attempt.outcome is not None:
                return Finished(attempt.id, attempt.outcome)
            link = links.by_id(session, attempt.link_id) if attempt.link_id else None
            integration = self._bench.integration_of(session, attempt)
            suggested = link is None
            environment = attempt.environment_id
            people = subscribers.newest(session, environment, _SUGGESTIONS) if suggested else ()
            places = contexts.newest(session, environment, _SUGGESTIONS) if suggested else ()
        if attempt.expires_at <= self._bench.now():
            return self.expire(attempt)
        modes = records.possible_modes(link)
        return SetupPage(
            app_name=integration.name,
            workspace_id=attempt.workspace_id or "",
            workspace_name=attempt.workspace_name,
            kind="operator" if link is None else "open" if link.is_open else "link",
            mode=modes[0] if len(modes) == 1 else None,
            modes=modes,
            subscriber_id=link.subscriber_id if link else None,
            context_keys=link.context_keys if link else (),
            offered_context_keys=link.offered_context_keys if link else (),
            subscriber_suggestions=tuple(people),
            context_suggestions=tuple(ContextSuggestion(kind, name) for kind, name in places),
            expires_at=attempt.expires_at,
        )

    def save(self, attempt_id: str, binding: str | None, picked: SetupInput) -> Finished:
        """Raises Refused with the field that it belongs to, NotFound for another browser, StorageProblem."""
        with self._bench.database.reading() as session:
            attempt = self._mine(attempts.by_id(session, attempt_id), binding)
            link = links.by_id(session, attempt.link_id) if attempt.link_id else None
        if attempt.stage != Stage.WAITING or attempt.outcome is not None:
            return Finished(attempt.id, attempt.outcome)
        if attempt.expires_at <= self._bench.now():
            return self.expire(attempt)
        return self._settle(attempt, _choice(link, picked), confirmed=False)

    def replace(self, attempt_id: str, binding: str | None) -> Finished:
        """The person wants the other workspace in place of the one expected. Raises NotFound, StorageProblem."""
        with self._bench.database.reading() as session:
            attempt = self._mine(attempts.by_id(session, attempt_id), binding)
        if attempt.stage != Stage.WAITING or attempt.choice is None:
            return Finished(attempt.id, attempt.outcome)
        if attempt.expires_at <= self._bench.now():
            return self.expire(attempt)
        return self._settle(attempt, Choice.from_json(attempt.choice), confirmed=True)

    def decline(self, attempt_id: str, binding: str | None) -> Declined:
        """The person does not want what Slack granted: it is given back at once. Raises NotFound for another browser."""
        with self._bench.database.reading() as session:
            attempt = self._mine(attempts.by_id(session, attempt_id), binding)
            integration = self._bench.integration_of(session, attempt)
        self._drop(attempt, Outcome.CANCELLED)
        return Declined(attempt.link_id, attempt.environment_id, integration.identifier, attempt.expected_workspace_id)

    def expire(self, attempt: Attempt) -> Finished:
        """End a waiting attempt whose time is over and revoke its grant."""
        self._drop(attempt, Outcome.STATE_EXPIRED)
        return Finished(attempt.id, Outcome.STATE_EXPIRED)

    def _settle(self, attempt: Attempt, choice: Choice, confirmed: bool) -> Finished:
        grant = self._bench.open_grant(attempt)
        outcome = self._settling.settle(attempt.id, Stage.WAITING, grant, choice, confirmed)
        if outcome in REFUSALS:
            with self._bench.database.reading() as session:
                integration = self._bench.integration_of(session, attempt)
            self._bench.revoke_unused(attempt, integration, grant)
        return Finished(attempt.id, outcome)

    def _drop(self, attempt: Attempt, outcome: Outcome) -> None:
        with self._bench.database.transaction() as session:
            integration = self._bench.integration_of(session, attempt)
            mine = attempts.move(
                session,
                attempt.id,
                Stage.WAITING,
                stage=Stage.FINISHED,
                outcome=outcome,
                finished_at=self._bench.now(),
                waiting_grant=None,
            )
        if mine:
            self._bench.revoke_waiting(attempt, integration)

    def _mine(self, attempt: Attempt | None, binding: str | None) -> Attempt:
        if attempt is None or not is_bound(attempt, binding):
            raise NotFound("This install belongs to another browser.")
        return attempt


def _choice(link: Link | None, picked: SetupInput) -> Choice:
    """What a link fixes stands, whatever the form says. Raises Refused with the field."""
    modes = records.possible_modes(link)
    mode = modes[0] if len(modes) == 1 else picked.mode
    if mode not in modes:
        raise Refused("Choose who the connection is for.", "connection_mode")
    free = link is None or link.is_open
    subscriber = picked.subscriber_id if free else link.subscriber_id if link else None
    keys = picked.context_keys if free else link.context_keys if link else ()
    if link is not None and link.offered_context_keys:
        if picked.offered_context not in link.offered_context_keys:
            raise Refused("Choose one of these.", "offered_context")
        keys = (*keys, picked.offered_context)
    if mode == "subscriber" and not subscriber:
        raise Refused("Enter the subscriber that the connection belongs to.", "subscriber_id")
    if mode == "shared" and not keys:
        raise Refused("Shared mode needs a context: enter at least one.", "contexts")
    return Choice(mode, subscriber if mode == "subscriber" else None, keys)
