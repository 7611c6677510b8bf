"""SetupStep: while a grant waits, the person chooses which customer the connection belongs to."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from onboarding import events
from onboarding.branding import Branding
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused, VaultProblem
from onboarding.identity import OfferedContext
from onboarding.outcomes import Outcome
from onboarding.services.installs import link_use, records, rights
from onboarding.services.installs.bindings import is_bound
from onboarding.services.installs.complete import REFUSALS, InstallCompleter
from onboarding.services.installs.granted import GrantedInstall
from onboarding.services.installs.grants import Grants
from onboarding.services.installs.records import Choice, InstallStep
from onboarding.store import attempts, contexts, installs, subscribers
from onboarding.store.attempts import Stage
from onboarding.store.database import Database
from onboarding.store.installs import AttemptRows
from onboarding.translatable import marked

_SUGGESTIONS = 50
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ContextSuggestion:
    type: str
    id: str


@dataclass(frozen=True)
class SetupPage:
    """The content of the set-up page."""

    branding: Branding
    workspace_id: str
    workspace_name: str | None
    #: `operator` for an install from the console, `open` for one with an open link, `link` for one with another link.
    kind: str
    #: None while the person can choose it.
    mode: str | None
    #: Those that the link leaves open.
    modes: tuple[str, ...]
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    subscriber_suggestions: tuple[str, ...]
    context_suggestions: tuple[ContextSuggestion, ...]
    expires_at: datetime

    @property
    def app_name(self) -> str:
        return self.branding.name


@dataclass(frozen=True)
class Declined:
    """The values with which a person who declined a workspace starts the next attempt."""

    link_id: str | None
    environment_id: str
    integration_identifier: str
    expected_workspace_id: str | None


@dataclass(frozen=True)
class SetupInput:
    """The values of the set-up form. Their syntax is valid."""

    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_context: str | None


class SetupStep:
    def __init__(self, database: Database, grants: Grants, completer: InstallCompleter, now: Clock) -> None:
        self._database, self._grants, self._completer, self._now = database, grants, completer, now

    def view_setup(self, attempt_id: str, binding: str | None) -> SetupPage | InstallStep:
        """Return the set-up page, or where to go if there is nothing to set up. Raises NotFound for another browser."""
        found = self._waiting(attempt_id, binding)
        if isinstance(found, InstallStep):
            return found
        if found.attempt.outcome is not None:
            return InstallStep(found.attempt.id, found.attempt.outcome)
        # Suggestions show other customers, so only operators get them.
        return self._page(found) if found.link is not None else self._page_with_suggestions(found)

    def save_setup(self, attempt_id: str, binding: str | None, picked: SetupInput) -> InstallStep:
        """Complete the install. Raises Refused with the field's name, NotFound for another browser, StorageProblem."""
        found = self._waiting(attempt_id, binding)
        if isinstance(found, InstallStep):
            return found
        if found.attempt.outcome is not None:
            return InstallStep(found.attempt.id, found.attempt.outcome)
        return self._complete(found, _choice(found, picked), is_confirmed=False)

    def replace_workspace(self, attempt_id: str, binding: str | None) -> InstallStep:
        """Replace the expected workspace by the one that was approved. Raises NotFound, StorageProblem."""
        found = self._waiting(attempt_id, binding)
        if isinstance(found, InstallStep):
            return found
        if found.attempt.choice is None:
            return InstallStep(found.attempt.id, found.attempt.outcome)
        return self._complete(found, Choice.from_json(found.attempt.choice), is_confirmed=True)

    def check_waiting(self, attempt_id: str, binding: str | None) -> None:
        """End an attempt that waits if it may not continue. Raises NotFound for another browser."""
        self._waiting(attempt_id, binding)

    def decline(self, attempt_id: str, binding: str | None) -> Declined | InstallStep:
        """End the attempt and revoke its grant at once.

        Returns an InstallStep if it may not be started again. Raises NotFound for another browser's attempt.
        """
        found, ended = self._own(attempt_id, binding)
        if ended is not None and found.attempt.stage is Stage.WAITING:
            return self._end(found, ended)
        self._drop(found, Outcome.CANCELLED)
        attempt = found.attempt
        return Declined(
            attempt.link_id, attempt.environment_id, found.integration.identifier, attempt.expected_workspace_id
        )

    def expire(self, attempt_id: str) -> None:
        """End a waiting attempt whose time is over and revoke its grant."""
        with self._database.rows() as rows:
            found = installs.attempt_by_id(rows, attempt_id)
        if found is not None:
            self._end(found, Outcome.STATE_EXPIRED)

    def _waiting(self, attempt_id: str, binding: str | None) -> AttemptRows | InstallStep:
        """Return an attempt that waits and may continue, or how it ended. Raises NotFound for another browser."""
        found, ended = self._own(attempt_id, binding)
        if found.attempt.stage is not Stage.WAITING:
            return InstallStep(found.attempt.id, found.attempt.outcome)
        if found.attempt.expires_at <= self._now():
            ended = Outcome.STATE_EXPIRED
        return found if ended is None else self._end(found, ended)

    def _own(self, attempt_id: str, binding: str | None) -> tuple[AttemptRows, Outcome | None]:
        """Return the attempt, and the outcome with which it must end if its operator or link may no longer continue."""
        with self._database.rows() as rows:
            found = installs.attempt_by_id(rows, attempt_id)
            if found is None or not is_bound(found.attempt, binding):
                raise NotFound(marked("This install belongs to another browser."))
            return found, rights.outcome_if_lost(rows, found) or link_use.outcome_if_ended(rows, found)

    def _page_with_suggestions(self, found: AttemptRows) -> SetupPage:
        environment_id = found.attempt.environment_id
        with self._database.reading() as session:
            subscriber_ids = subscribers.newest(session, environment_id, _SUGGESTIONS)
            known = contexts.newest(session, environment_id, _SUGGESTIONS)
        return self._page(found, tuple(subscriber_ids), tuple(ContextSuggestion(*one) for one in known))

    def _page(
        self,
        found: AttemptRows,
        subscriber_ids: tuple[str, ...] = (),
        context_suggestions: tuple[ContextSuggestion, ...] = (),
    ) -> SetupPage:
        attempt, link = found.attempt, found.link
        modes = records.possible_modes(link, attempt.scopes)
        return SetupPage(
            branding=found.integration.branding,
            workspace_id=attempt.workspace_id or "",
            workspace_name=attempt.workspace_name,
            kind="operator" if link is None else "open" if link.is_open else "link",
            mode=modes[0] if len(modes) == 1 else None,
            modes=modes,
            subscriber_id=link.subscriber_id if link else None,
            context_keys=link.context_keys if link else (),
            offered_contexts=link.offered_contexts if link else (),
            subscriber_suggestions=subscriber_ids,
            context_suggestions=context_suggestions,
            expires_at=attempt.expires_at,
        )

    def _complete(self, found: AttemptRows, choice: Choice, is_confirmed: bool) -> InstallStep:
        attempt = found.attempt
        try:
            grant = self._grants.open(attempt)
        except VaultProblem as problem:
            _LOG.error("install.grant_unreadable", attempt=attempt.id, problem=problem.sentence)
            return self._end(found, Outcome.CONFIG_ERROR, detail="encryption_keys")
        granted = GrantedInstall(attempt.id, Stage.WAITING, grant, choice, is_confirmed)
        outcome = self._completer.complete(granted)
        if outcome in REFUSALS:
            self._grants.revoke_refused(attempt, grant)
        return InstallStep(attempt.id, outcome)

    def _end(self, found: AttemptRows, outcome: Outcome, detail: str | None = None) -> InstallStep:
        self._drop(found, outcome, detail)
        return InstallStep(found.attempt.id, outcome)

    def _drop(self, found: AttemptRows, outcome: Outcome, detail: str | None = None) -> None:
        attempt, grant = found.attempt, self._grants.open_if_readable(found.attempt)
        ended = {"stage": Stage.FINISHED, "outcome": outcome, "finished_at": self._now(), "detail": detail}
        with self._database.changing_rows() as rows:
            is_first = attempts.move(rows, attempt.id, Stage.WAITING, **ended)
            if is_first:
                self._grants.refuse(rows, attempt, grant)
                events.attempt_ended(rows, attempt.id)
        # A concurrent request that ended the attempt revokes the grant, too.
        if is_first:
            self._grants.revoke_refused(attempt, grant)


def _choice(found: AttemptRows, picked: SetupInput) -> Choice:
    """Combine the values that the link fixes with those of the form, which cannot change them.

    Raises Refused with the field's name.
    """
    link, modes = found.link, records.possible_modes(found.link, found.attempt.scopes)
    mode = modes[0] if len(modes) == 1 else picked.mode
    if mode not in modes:
        raise Refused(marked("Choose who the connection is for."), "connection_mode")
    if link is None or link.is_open:
        # Only operators and holders of an open link enter values.
        subscriber, keys = picked.subscriber_id, picked.context_keys
    else:
        subscriber, keys = link.subscriber_id, link.context_keys
    if link is not None and link.offered_contexts:
        if picked.offered_context not in [one.key for one in link.offered_contexts]:
            raise Refused(marked("Choose one of these."), "offered_context")
        keys = (*keys, picked.offered_context)
    if mode == "subscriber" and not subscriber:
        raise Refused(marked("Enter an id."), "subscriber_id")
    if mode == "shared" and not keys:
        raise Refused(marked("Enter a type and an id."), "contexts")
    return Choice(mode, subscriber if mode == "subscriber" else None, keys)
