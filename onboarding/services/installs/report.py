"""AttemptReports: the history of one attempt, for an operator who received its reference from a customer."""

import re
from dataclasses import dataclass
from datetime import datetime

from onboarding.errors import NotFound
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import records
from onboarding.services.installs.result import operator_detail
from onboarding.store import attempts
from onboarding.store.attempts import Attempt
from onboarding.store.database import Database
from onboarding.store.integrations import Integration

_REFERENCE = re.compile(r"[0-9a-z]{8,16}\Z")


@dataclass(frozen=True)
class AttemptReport:
    """One attempt. It has no token, code or state."""

    id: str
    reference: str
    integration_identifier: str
    #: None for an operator's own install.
    link_id: str | None
    operator: str | None
    stage: str
    outcome: Outcome | None
    #: The steps that were reached, with their times, oldest first: `started`, `returned` (Slack sent the browser back), `finished`.
    steps: tuple[tuple[str, datetime], ...]
    workspace_id: str | None
    workspace_name: str | None
    connection_identifier: str | None
    missing_scopes: tuple[str, ...]
    #: Slack's error code, or a sentence about its response.
    slack_error: str | None
    cause: str | None
    grant_result: GrantResult | None


class AttemptReports:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, reference: str) -> AttemptReport:
        """Return the attempt of a reference in any environment; an attempt's whole id is accepted, too. Raises NotFound."""
        name = reference.strip().lower().removeprefix("att_")
        with self._database.reading() as session:
            found = attempts.by_id_prefix(session, f"att_{name}") if _REFERENCE.match(name) else None
            integration = session.get(Integration, found.integration_id) if found else None
        if found is None or integration is None:
            raise NotFound(kind="Attempt", name=reference)
        return _report(found, integration)


def _report(attempt: Attempt, integration: Integration) -> AttemptReport:
    times = (("started", attempt.created_at), ("returned", attempt.exchanging_at), ("finished", attempt.finished_at))
    return AttemptReport(
        id=attempt.id,
        reference=records.reference(attempt.id),
        integration_identifier=integration.identifier,
        link_id=attempt.link_id,
        operator=attempt.operator_id,
        stage=attempt.stage,
        outcome=attempt.outcome,
        steps=tuple((step, at) for step, at in times if at is not None),
        workspace_id=attempt.workspace_id,
        workspace_name=attempt.workspace_name,
        connection_identifier=attempt.connection_identifier,
        missing_scopes=records.scopes_of(attempt.missing_scopes or ""),
        slack_error=attempt.detail,
        cause=operator_detail(attempt),
        grant_result=attempt.grant_result,
    )
