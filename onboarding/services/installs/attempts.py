"""Attempts: the history of one install, for an operator who received its reference from a customer."""

import re
from dataclasses import dataclass
from datetime import datetime

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import records
from onboarding.services.installs.result import approving_attempt, operator_detail
from onboarding.slack import scopes
from onboarding.store import attempts, connections, links
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.connections import ChannelConnection
from onboarding.store.database import Database, Session
from onboarding.store.integrations import Integration

_PREFIX = "att_"
_REFERENCE = re.compile(r"[0-9a-z]{8,16}\Z")
_NOT_OF_A_REFERENCE = re.compile(r"[\W_]+")
#: Letters that new ids do not contain, and the characters that people mean by them.
_LOOK_ALIKES = str.maketrans("oilu", "011v")


@dataclass(frozen=True)
class AttemptReport:
    """One attempt. It has no token, code or state."""

    id: str
    reference: str
    integration_identifier: str
    #: None for an operator's own install.
    link_id: str | None
    operator: str | None
    stage: Stage
    #: None while it has not ended.
    outcome: Outcome | None
    #: Whether the time for Slack's answer, or for the person's choice, is over.
    has_expired: bool
    #: The steps that were reached, with their times, oldest first: `started`, `sent` (to Slack), `returned` (from
    #: Slack), `finished`.
    steps: tuple[tuple[str, datetime], ...]
    #: The customer: of the connection, otherwise the one that the link fixes.
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str | None
    workspace_name: str | None
    connection_identifier: str | None
    #: Whether that connection still exists.
    has_connection: bool
    missing_scopes: tuple[str, ...]
    #: Slack's error code, or a sentence about its response.
    slack_error: str | None
    cause: str | None
    grant_result: GrantResult | None
    #: The reference of the admin's attempt, if this one asked an admin for approval and got it.
    approved_by: str | None


class Attempts:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def find(self, reference: str, environment_id: str | None = None) -> AttemptReport:
        """Return the attempt of a reference, in one environment or in any. Raises NotFound.

        `reference` may be typed in any case, with spaces and with look-alikes such as O for 0. It may also be an
        attempt's whole id.
        """
        found = self.find_typed(reference, environment_id)
        if found is None:
            sentence = f"No install has the reference {reference}. Installs are deleted after a week."
            raise NotFound(sentence, kind="Attempt", name=reference)
        return found

    def find_typed(self, text: str, environment_id: str | None = None) -> AttemptReport | None:
        """Return the attempt whose reference was typed, for example into a search. None for any other text."""
        with self._database.reading() as session:
            for beginning in beginnings(text):
                found = attempts.by_id_prefix(session, beginning, environment_id)
                if found is not None:
                    return self._report(session, found)
        return None

    def by_state(self, state_digest: str, environment_id: str) -> AttemptReport | None:
        """Return the environment's attempt of a state, which is passed as its digest. None if there is none."""
        with self._database.reading() as session:
            found = attempts.by_state(session, environment_id, state_digest)
            return None if found is None else self._report(session, found)

    def _report(self, session: Session, attempt: Attempt) -> AttemptReport:
        integration = session.get_one(Integration, attempt.integration_id)
        connection = _connection(session, attempt)
        customer = connection or (links.by_id(session, attempt.link_id) if attempt.link_id else None)
        has_died = records.has_died(attempt, self._now())
        approved = approving_attempt(session, attempt) if attempt.outcome is Outcome.AWAITING_APPROVAL else None
        return AttemptReport(
            id=attempt.id,
            reference=ids.attempt_reference(attempt.id),
            integration_identifier=integration.identifier,
            link_id=attempt.link_id,
            operator=attempt.operator_label,
            stage=attempt.stage,
            outcome=Outcome.SLACK_DOWN if has_died else attempt.outcome,
            has_expired=attempt.stage is not Stage.FINISHED and attempt.expires_at <= self._now(),
            steps=_steps(attempt),
            subscriber_id=customer.subscriber_id if customer else None,
            context_keys=tuple(customer.context_keys) if customer else (),
            workspace_id=attempt.workspace_id,
            workspace_name=attempt.workspace_name,
            connection_identifier=attempt.connection_identifier,
            has_connection=connection is not None,
            missing_scopes=scopes.split(attempt.missing_scopes or ""),
            slack_error=attempt.detail,
            cause=operator_detail(attempt),
            grant_result=attempt.grant_result,
            approved_by=ids.attempt_reference(approved.id) if approved else None,
        )


def beginnings(text: str) -> tuple[str, ...]:
    """Return the beginnings of the ids that a typed reference can mean. Empty for other text.

    The text is read as it is, because ids of earlier versions contain every letter, and with its look-alikes replaced.
    """
    typed = _NOT_OF_A_REFERENCE.sub("", text.strip().lower().removeprefix(_PREFIX))
    if not _REFERENCE.match(typed):
        return ()
    return tuple(dict.fromkeys((_PREFIX + typed, _PREFIX + typed.translate(_LOOK_ALIKES))))


def _connection(session: Session, attempt: Attempt) -> ChannelConnection | None:
    """Return the attempt's connection if it still exists: its identifier may have been given to another one since."""
    if attempt.connection_identifier is None:
        return None
    found = connections.by_identifier(session, attempt.environment_id, attempt.connection_identifier)
    is_same = found is not None and attempt.identity_key in (None, found.identity_key)
    return found if is_same else None


def _steps(attempt: Attempt) -> tuple[tuple[str, datetime], ...]:
    times = (
        ("started", attempt.created_at),
        ("sent", attempt.sent_at),
        ("returned", attempt.returned_at),
        ("finished", attempt.finished_at),
    )
    return tuple((step, at) for step, at in times if at is not None)
