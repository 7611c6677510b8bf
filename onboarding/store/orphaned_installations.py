"""Leftovers: installations that no connection lives on any more, tokens and all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, select
from sqlalchemy.orm import Session

from onboarding.store.connections import TABLE as CONNECTIONS
from onboarding.store.database import table_of
from onboarding.store.installations import Installation

_TABLE = table_of(Installation)
_LIVES = exists().where(CONNECTIONS.c.installation_id == _TABLE.c.id)


def page(session: Session, after: str, limit: int) -> Sequence[str]:
    """The next installations of a walk over all of them, used or not: nothing in the row tells which are unused."""
    return session.scalars(select(_TABLE.c.id).where(_TABLE.c.id > after).order_by(_TABLE.c.id).limit(limit)).all()


def unused(session: Session, among: Sequence[str], before: datetime) -> Sequence[str]:
    query = select(_TABLE.c.id).where(_TABLE.c.id.in_(among), _TABLE.c.installed_at <= before, ~_LIVES)
    return session.scalars(query).all()


def erase(session: Session, among: Sequence[str], before: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """Those of them that are unused still: id, environment and Slack's name for the place.

    A connection that is being tied to one holds its row, and is passed by. With the rows in hand nobody can come any
    more, and only a statement that begins after that sees everybody who came before.
    """
    mine = select(_TABLE.c.id).where(_TABLE.c.id.in_(among), _TABLE.c.installed_at <= before)
    held = session.scalars(mine.with_for_update(skip_locked=True)).all()
    done = delete(_TABLE).where(_TABLE.c.id.in_(held), ~_LIVES)
    return session.execute(done.returning(_TABLE.c.id, _TABLE.c.environment_id, _TABLE.c.slack_key)).all()
