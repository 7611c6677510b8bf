"""Attempts that have not ended, and exchanges that did not succeed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from onboarding.outcomes import Outcome
from onboarding.store.attempts import SELECT, TABLE, AttemptRow, Stage
from onboarding.store.rows import Rows, fetch_all

_WAITING_IN = (
    select(TABLE.c.id)
    .where(
        TABLE.c.integration_id == bindparam("integration"),
        TABLE.c.stage == Stage.WAITING,
        TABLE.c.workspace_id == bindparam("workspace"),
    )
    .limit(1)
)
#: An exchange that failed, or has not ended yet. A successful one stores its workspace, unless the database fails.
_HAS_NO_GRANT = TABLE.c.workspace_id.is_(None) & (
    TABLE.c.outcome.is_(None) | TABLE.c.outcome.not_in((Outcome.STORAGE_ERROR, Outcome.TOO_MANY_ATTEMPTS))
)
_UNSUCCESSFUL_EXCHANGE = (
    select(TABLE.c.exchanging_at)
    .where(
        TABLE.c.link_id == bindparam("link"),
        TABLE.c.exchanging_at > bindparam("since"),
        TABLE.c.id != bindparam("attempt"),
        _HAS_NO_GRANT,
    )
    .order_by(TABLE.c.exchanging_at.desc())
    .limit(1)
    .offset(bindparam("number"))
)


def waits_in(rows: Rows, integration_id: str, workspace_id: str) -> bool:
    """Return whether a grant of this workspace waits for the person's choice."""
    return rows.execute(_WAITING_IN, {"integration": integration_id, "workspace": workspace_id}).first() is not None


def unsuccessful_exchange(rows: Rows, attempt: AttemptRow, since: datetime, number: int) -> datetime | None:
    """Skip the newest `number` unsuccessful exchanges of the attempt's link, and return when the next older one began.

    Exchanges before `since` and the attempt's own do not count. None if there are at most `number`.
    """
    values = {"link": attempt.link_id, "since": since, "attempt": attempt.id, "number": number}
    found: datetime | None = rows.scalar(_UNSUCCESSFUL_EXCHANGE, values)
    return found


def overdue(rows: Rows, stage: Stage, at: datetime, limit: int) -> Sequence[AttemptRow]:
    query = SELECT.where(TABLE.c.stage == stage, TABLE.c.expires_at <= at)
    return fetch_all(rows, query.order_by(TABLE.c.expires_at).limit(limit), AttemptRow)


def stuck(rows: Rows, since: datetime, limit: int) -> Sequence[AttemptRow]:
    """Return attempts whose process has been waiting for Slack since `since` or longer."""
    query = SELECT.where(TABLE.c.stage == Stage.EXCHANGING, TABLE.c.exchanging_at <= since)
    return fetch_all(rows, query.limit(limit), AttemptRow)


def are_under_way(session: Session, integration_id: str) -> bool:
    """Return whether a grant of this integration is being exchanged, or waits for the person's choice."""
    query = select(TABLE.c.id).where(TABLE.c.integration_id == integration_id)
    return session.scalar(query.where(TABLE.c.stage.in_((Stage.EXCHANGING, Stage.WAITING))).limit(1)) is not None
