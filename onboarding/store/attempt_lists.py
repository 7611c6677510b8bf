"""Lists of attempts: filters, keyset pages, and the numbers of the steps that they reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, case, func, or_, select, type_coerce

from onboarding.outcomes import OUTCOMES, Outcome
from onboarding.store import pagination
from onboarding.store.attempts import TABLE, Stage
from onboarding.store.connections import TABLE as CONNECTIONS
from onboarding.store.cursors import Position
from onboarding.store.database import table_of
from onboarding.store.integrations import Integration
from onboarding.store.links import TABLE as LINKS
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows, fetch_all, fetch_first
from onboarding.store.types import columns_of

_SUCCESSES = tuple(outcome for outcome in OUTCOMES if outcome.is_success)
_INTEGRATIONS = table_of(Integration)


class AttemptListRow(NamedTuple):
    """The columns of an attempt in a list, and those of its link and of its connection that name the customer."""

    id: str
    created_at: datetime
    sent_at: datetime | None
    returned_at: datetime | None
    exchanging_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    stage: Stage
    outcome: Outcome | None
    operator_label: str | None
    workspace_id: str | None
    workspace_name: str | None
    connection_identifier: str | None
    integration_identifier: str
    link_subscriber_id: str | None
    link_context_keys: tuple[str, ...] | None
    #: Null if the connection is gone.
    connection_id: str | None
    connection_subscriber_id: str | None
    #: A JSON list.
    connection_context_keys: str | None


class Funnel(NamedTuple):
    """How many attempts reached each step."""

    started: int
    sent: int
    returned: int
    connected: int


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """The filters of the list; None or an empty value does not filter."""

    #: Part of the subscriber, a context key, or the workspace's name or id.
    text: str | None = None
    #: Beginnings of ids, which find an attempt beside `text`.
    ids: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    #: Attempts that have not ended.
    unfinished: bool = False
    #: The last step that was reached: one of `STEPS`.
    step: str | None = None
    integration_id: str | None = None
    since: datetime | None = None


_OWN_COLUMNS = columns_of(TABLE, [name for name in AttemptListRow._fields if name in TABLE.c])
_CONNECTED = TABLE.c.outcome.in_(_SUCCESSES)
_NOT_CONNECTED = TABLE.c.outcome.is_(None) | TABLE.c.outcome.not_in(_SUCCESSES)
STEPS: dict[str, ColumnElement[bool]] = {
    "started": and_(TABLE.c.sent_at.is_(None), _NOT_CONNECTED),
    "sent": and_(TABLE.c.sent_at.is_not(None), TABLE.c.returned_at.is_(None), _NOT_CONNECTED),
    "returned": and_(TABLE.c.returned_at.is_not(None), _NOT_CONNECTED),
    "connected": _CONNECTED,
}
_ITS_CONNECTION = and_(
    CONNECTIONS.c.environment_id == TABLE.c.environment_id,
    CONNECTIONS.c.identifier == TABLE.c.connection_identifier,
    # The identifier may have been given to another connection since.
    or_(TABLE.c.identity_key.is_(None), TABLE.c.identity_key == CONNECTIONS.c.identity_key),
)


def page(rows: Rows, environment_id: str, wanted: AttemptFilter, request: StorePageRequest) -> PageRows[AttemptListRow]:
    filtered = _filtered(select(TABLE.c.id), environment_id, wanted)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[AttemptListRow]:
        ordered = pagination.seek(filtered, TABLE.c.created_at, TABLE.c.id, descending, position)
        return _fetch(rows, rows.scalars(ordered.limit(size)).all())

    return pagination.fetch_page(fetch, request, lambda row: Position((row.created_at,), row.id))


def of_connection(
    rows: Rows, environment_id: str, identifier: str, identity_key: str, limit: int
) -> Sequence[AttemptListRow]:
    """Return the newest attempts that led to the connection, or whose link can lead to nothing else."""
    query = select(TABLE.c.created_at, TABLE.c.id).where(TABLE.c.environment_id == environment_id)
    same = TABLE.c.identity_key.is_(None) | (TABLE.c.identity_key == identity_key)
    links = select(LINKS.c.id).where(LINKS.c.environment_id == environment_id, LINKS.c.identity_key == identity_key)
    newest = TABLE.c.created_at.desc(), TABLE.c.id.desc()
    # Each condition has an index of its own; with OR, every attempt would be read.
    found = {
        (created_at, attempt_id)
        for condition in (TABLE.c.connection_identifier == identifier, TABLE.c.link_id.in_(links))
        for created_at, attempt_id in rows.execute(query.where(condition, same).order_by(*newest).limit(limit))
    }
    return _fetch(rows, [attempt_id for _, attempt_id in sorted(found, reverse=True)[:limit]])


def count(rows: Rows, environment_id: str, wanted: AttemptFilter, cap: int) -> int:
    """Count the attempts up to `cap`."""
    found = _filtered(select(TABLE.c.id), environment_id, wanted).limit(cap).subquery()
    return rows.scalar(select(func.count()).select_from(found)) or 0


def funnel(rows: Rows, environment_id: str, wanted: AttemptFilter, newest: int) -> Funnel:
    """Count how many of the newest attempts reached each step."""
    columns = columns_of(TABLE, ("sent_at", "returned_at", "outcome"))
    query = _filtered(select(*columns), environment_id, wanted)
    found = query.order_by(TABLE.c.created_at.desc(), TABLE.c.id.desc()).limit(newest).subquery()
    counted = select(
        func.count().label("started"),
        func.count(found.c.sent_at).label("sent"),
        func.count(found.c.returned_at).label("returned"),
        func.count(case((found.c.outcome.in_(_SUCCESSES), 1))).label("connected"),
    ).select_from(found)
    return fetch_first(rows, counted, Funnel) or Funnel(0, 0, 0, 0)


def _fetch(rows: Rows, ids: Sequence[str]) -> list[AttemptListRow]:
    """Return the rows of a page in the order of their ids.

    They are chosen before the other tables are joined, because PostgreSQL may join all attempts before it takes a page.
    """
    query = select(
        *_OWN_COLUMNS,
        _INTEGRATIONS.c.identifier.label("integration_identifier"),
        LINKS.c.subscriber_id.label("link_subscriber_id"),
        LINKS.c.context_keys.label("link_context_keys"),
        CONNECTIONS.c.id.label("connection_id"),
        CONNECTIONS.c.subscriber_id.label("connection_subscriber_id"),
        CONNECTIONS.c.context_keys.label("connection_context_keys"),
    )
    joined = _joined(query).join(_INTEGRATIONS, _INTEGRATIONS.c.id == TABLE.c.integration_id)
    found = {row.id: row for row in fetch_all(rows, joined.where(TABLE.c.id.in_(ids)), AttemptListRow)}
    return [found[one] for one in ids if one in found]


def _filtered(query: Select[Any], environment_id: str, wanted: AttemptFilter) -> Select[Any]:
    """Add the conditions, and the other tables if one of them is searched."""
    return (_joined(query) if wanted.text else query).where(*_conditions(environment_id, wanted))


def _joined(query: Select[Any]) -> Select[Any]:
    joined = query.select_from(TABLE).outerjoin(LINKS, LINKS.c.id == TABLE.c.link_id)
    return joined.outerjoin(CONNECTIONS, _ITS_CONNECTION)


def _conditions(environment_id: str, wanted: AttemptFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [TABLE.c.environment_id == environment_id]
    if wanted.text:
        conditions.append(or_(*_matches(wanted.text), *(TABLE.c.id.startswith(one) for one in wanted.ids)))
    if wanted.outcomes:
        conditions.append(TABLE.c.outcome.in_(wanted.outcomes))
    if wanted.unfinished:
        conditions.append(TABLE.c.stage != Stage.FINISHED)
    if wanted.step:
        conditions.append(STEPS[wanted.step])
    if wanted.integration_id:
        conditions.append(TABLE.c.integration_id == wanted.integration_id)
    if wanted.since:
        conditions.append(TABLE.c.created_at >= wanted.since)
    return conditions


def _matches(text: str) -> list[ColumnElement[bool]]:
    pattern = pagination.containing(text)
    columns: tuple[ColumnElement[Any], ...] = (
        LINKS.c.subscriber_id,
        CONNECTIONS.c.subscriber_id,
        CONNECTIONS.c.context_keys,
        TABLE.c.workspace_name,
        TABLE.c.workspace_id,
        # As text: the column's own type would encode the pattern as JSON.
        type_coerce(LINKS.c.context_keys, Text),
    )
    return [column.ilike(pattern, escape="\\") for column in columns]
