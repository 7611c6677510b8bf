"""The console's list of attempts: its filters, its pages, and the numbers of the steps that were reached."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from onboarding import ids
from onboarding.clock import Clock
from onboarding.outcomes import OUTCOMES, Outcome
from onboarding.pagination import Page, PageRequest
from onboarding.services.installs import attempts as reports
from onboarding.services.installs import records
from onboarding.store import attempt_lists, connections, integrations, pagination
from onboarding.store.attempt_lists import STEPS, AttemptFilter, AttemptListRow, Funnel
from onboarding.store.attempts import Stage
from onboarding.store.database import Database, Rows

PAGE_SIZE: Final = 25
COUNT_CAP: Final = 1000
#: The funnel counts the newest attempts, so that it stays fast.
FUNNEL_CAP: Final = 10_000
#: How many attempts the page of a connection shows.
OF_CONNECTION: Final = 10
#: No attempt ends with them: only the response to one request shows them.
_NEVER_STORED: Final = frozenset(
    {
        Outcome.REPLAY_OK,
        Outcome.LINK_EXPIRED,
        Outcome.LINK_TAMPERED,
        Outcome.STATE_UNKNOWN,
        Outcome.OTHER_BROWSER,
        Outcome.NO_STATE,
        Outcome.ALREADY_CONNECTED,
    }
)
#: The outcomes that the list can be filtered by.
LISTED_OUTCOMES: Final = tuple(outcome for outcome in Outcome if outcome not in _NEVER_STORED)
#: Several outcomes under one name. Without outcomes: attempts that have not ended.
GROUPS: Final[dict[str, tuple[Outcome, ...]]] = {
    "succeeded": tuple(one for one in LISTED_OUTCOMES if one.is_success),
    "failed": tuple(one for one in LISTED_OUTCOMES if OUTCOMES[one].metric == "failure"),
    "stopped": tuple(one for one in LISTED_OUTCOMES if OUTCOMES[one].metric in ("neutral", "watched", "security")),
    "unfinished": (),
}
PERIODS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class AttemptSearch:
    """The filters of the list, as in the query string."""

    #: Part of a subscriber, context, workspace, or a reference.
    q: str = ""
    #: An outcome, or one of `GROUPS`.
    outcome: str = ""
    #: The last step that was reached: `started`, `sent`, `returned` or `connected`.
    step: str = ""
    integration: str = ""
    #: One of `PERIODS`.
    since: str = ""

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.outcome, self.step, self.integration, self.since))


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """An attempt in the list."""

    reference: str
    created_at: datetime
    integration_identifier: str
    operator: str | None
    #: The customer: of the connection, otherwise the one that the link fixes.
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str | None
    workspace_name: str | None
    stage: Stage
    outcome: Outcome | None
    #: Whether the time for Slack's answer, or for the person's choice, is over.
    has_expired: bool
    #: The last step that was reached.
    step: str
    #: From the start to the end; None while it has not ended.
    seconds: int | None


@dataclass(frozen=True, slots=True)
class AttemptPage(Page[AttemptLine]):
    """A page of the list."""

    #: Of all attempts that match the filters except outcome and step.
    funnel: Funnel
    #: The filters whose values are unknown. They were left out.
    unknown: tuple[str, ...]


class AttemptLists:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def page(self, environment_id: str, search: AttemptSearch, after: str | None, before: str | None) -> AttemptPage:
        """Return a page of attempts, newest first. Raises Refused for an invalid cursor."""
        asked = PageRequest(PAGE_SIZE, after or None, before if not after else None)
        request = pagination.store_page_request("attempts", environment_id, asked)
        with self._database.rows() as rows:
            wanted, unknown = self._read(rows, environment_id, search)
            page_rows = attempt_lists.page(rows, environment_id, wanted, request)
            total = attempt_lists.count(rows, environment_id, wanted, COUNT_CAP + 1)
            everyone = AttemptFilter(wanted.text, wanted.ids, integration_id=wanted.integration_id, since=wanted.since)
            funnel = attempt_lists.funnel(rows, environment_id, everyone, FUNNEL_CAP)
        page = pagination.page_of(request, page_rows, total, COUNT_CAP, self._line)
        return AttemptPage(page.rows, page.next, page.previous, page.total, page.total_capped, funnel, unknown)

    def of_connection(self, environment_id: str, identifier: str) -> tuple[AttemptLine, ...]:
        """Return the newest attempts of a connection: those that led to it, and those of its own links that did not."""
        with self._database.reading() as session:
            connection = connections.by_identifier(session, environment_id, identifier)
            if connection is None:
                return ()
            key = connection.identity_key
            found = attempt_lists.of_connection(session, environment_id, identifier, key, OF_CONNECTION)
        return tuple(self._line(row) for row in found)

    def _read(self, rows: Rows, environment_id: str, search: AttemptSearch) -> tuple[AttemptFilter, tuple[str, ...]]:
        """Return the filter, and the names of the filters whose values are unknown."""
        outcomes = GROUPS.get(search.outcome, tuple(one for one in LISTED_OUTCOMES if one == search.outcome))
        integration_id = integrations.id_of(rows, environment_id, search.integration) if search.integration else None
        known = {
            "outcome": search.outcome in GROUPS or bool(outcomes),
            "step": search.step in STEPS,
            "integration": integration_id is not None,
            "since": search.since in PERIODS,
        }
        wanted = AttemptFilter(
            text=search.q or None,
            ids=reports.beginnings(search.q),
            outcomes=outcomes,
            unfinished=search.outcome == "unfinished",
            step=search.step if known["step"] else None,
            integration_id=integration_id,
            since=self._now() - PERIODS[search.since] if known["since"] else None,
        )
        return wanted, tuple(name for name, is_known in known.items() if getattr(search, name) and not is_known)

    def _line(self, row: AttemptListRow) -> AttemptLine:
        has_died = records.has_died(row, self._now())
        outcome = Outcome.SLACK_DOWN if has_died else row.outcome
        is_connected = row.connection_id is not None
        keys = json.loads(row.connection_context_keys or "[]") if is_connected else row.link_context_keys or ()
        return AttemptLine(
            reference=ids.attempt_reference(row.id),
            created_at=row.created_at,
            integration_identifier=row.integration_identifier,
            operator=row.operator_label,
            subscriber_id=row.connection_subscriber_id if is_connected else row.link_subscriber_id,
            context_keys=tuple(keys),
            workspace_id=row.workspace_id,
            workspace_name=row.workspace_name,
            stage=row.stage,
            outcome=outcome,
            has_expired=row.stage is not Stage.FINISHED and row.expires_at <= self._now(),
            step=_step(row),
            seconds=round((row.finished_at - row.created_at).total_seconds()) if row.finished_at else None,
        )


def _step(row: AttemptListRow) -> str:
    if row.outcome is not None and row.outcome.is_success:
        return "connected"
    if row.returned_at is not None:
        return "returned"
    return "started" if row.sent_at is None else "sent"
