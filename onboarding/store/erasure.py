"""Delete expired rows, unused installations, and integrations with everything that belongs to them.

The `purge` functions delete one batch and skip rows that another process has locked, so that any number of processes
may run them at the same time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, delete, exists, select
from sqlalchemy.orm import Session

from onboarding.sealed import Sealed
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.channel_endpoints import ChannelEndpoint
from onboarding.store.connections import CONNECTION_CONTEXTS
from onboarding.store.connections import TABLE as CONNECTIONS
from onboarding.store.database import table_of
from onboarding.store.idempotency import Answer
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration
from onboarding.store.link_terms import LinkKind
from onboarding.store.links import TABLE as LINKS
from onboarding.store.logos import TABLE as LOGOS
from onboarding.store.origins import TABLE as ORIGINS
from onboarding.store.revocations import Revocation
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.sign_ins import SignIn, SignInState
from onboarding.store.slack_events import SlackEvent


class ErasedInstallation(NamedTuple):
    id: str
    environment_id: str
    integration_id: str
    origin: str
    slack_key: str
    access_token: Sealed
    refresh_token: Sealed | None
    expires_at: datetime | None


_ANSWERS, _ATTEMPTS, _SIGN_INS = table_of(Answer), table_of(Attempt), table_of(SignIn)
_INSTALLATIONS, _SIGN_IN_STATES = table_of(Installation), table_of(SignInState)
_CHILDREN = LINKS.alias("children")
#: An attempt and an approval need the link that they were created from.
_IS_NEEDED = exists().where(_ATTEMPTS.c.link_id == LINKS.c.id) | exists().where(_CHILDREN.c.parent_id == LINKS.c.id)
_HAS_CONNECTION = exists().where(CONNECTIONS.c.installation_id == _INSTALLATIONS.c.id)
#: Every table with an `integration_id`, except connection contexts, in an order that foreign keys allow.
_OF_INTEGRATION = (
    ORIGINS,
    LOGOS,
    table_of(SlackEvent),
    table_of(Revocation),
    _ATTEMPTS,
    LINKS,
    table_of(ChannelEndpoint),
    CONNECTIONS,
    _INSTALLATIONS,
)


def purge_attempts(session: Session, stage: Stage, before: datetime, limit: int) -> int:
    """Delete the oldest attempts in `stage` that expired by `before`. Return how many."""
    # Most attempts finish before they expire. For one that finished later, the time of its end counts.
    is_over = _ATTEMPTS.c.finished_at.is_(None) | (_ATTEMPTS.c.finished_at <= before)
    due = select(_ATTEMPTS.c.id).where(_ATTEMPTS.c.stage == stage, _ATTEMPTS.c.expires_at <= before, is_over)
    return _delete(session, _ATTEMPTS, due.order_by(_ATTEMPTS.c.expires_at).limit(limit))


def purge_links(session: Session, kind: LinkKind, before: datetime, limit: int) -> int:
    """Delete the oldest links of a kind that expired by `before` and that nothing refers to. Return how many."""
    due = select(LINKS.c.id).where(LINKS.c.kind == kind.value, LINKS.c.expires_at <= before, ~_IS_NEEDED)
    return _delete(session, LINKS, due.order_by(LINKS.c.expires_at).limit(limit))


def purge_responses(session: Session, before: datetime, limit: int) -> int:
    """Delete the oldest stored responses, and the claims of processes that died. Return how many."""
    due = select(_ANSWERS.c.id).where(_ANSWERS.c.claimed_at <= before)
    return _delete(session, _ANSWERS, due.order_by(_ANSWERS.c.claimed_at).limit(limit))


def purge_sign_ins(session: Session, before: datetime, limit: int) -> int:
    """Delete sign-in links and sessions that expired by `before`. Return how many."""
    due = select(_SIGN_INS.c.id).where(_SIGN_INS.c.expires_at <= before)
    return _delete(session, _SIGN_INS, due.limit(limit))


def purge_sign_in_states(session: Session, before: datetime, limit: int) -> int:
    """Delete states of Sign in with Slack that were used by `before`. Return how many."""
    due = select(_SIGN_IN_STATES.c.digest).where(_SIGN_IN_STATES.c.used_at <= before)
    return _delete(session, _SIGN_IN_STATES, due.limit(limit))


def installation_ids(session: Session, after: str, limit: int) -> Sequence[str]:
    """Return the next installation ids after `after`. No column says which installations are unused."""
    query = select(_INSTALLATIONS.c.id).where(_INSTALLATIONS.c.id > after)
    return session.scalars(query.order_by(_INSTALLATIONS.c.id).limit(limit)).all()


def orphaned_installations(session: Session, among: Sequence[str], before: datetime) -> Sequence[str]:
    """Return the installations of `among` that no connection uses and whose token is at least as old as `before`."""
    query = select(_INSTALLATIONS.c.id).where(_INSTALLATIONS.c.id.in_(among), _INSTALLATIONS.c.token_since <= before)
    return session.scalars(query.where(~_HAS_CONNECTION)).all()


def erase_orphaned_installations(rows: Rows, among: Sequence[str], before: datetime) -> list[ErasedInstallation]:
    """Delete the installations that `orphaned_installations` returns, and return them.

    A transaction that attaches a connection holds the installation's row lock, and its installation is skipped. The
    second statement starts with these locks held, so it sees every connection that was attached before.
    """
    due = select(_INSTALLATIONS.c.id).where(_INSTALLATIONS.c.id.in_(among), _INSTALLATIONS.c.token_since <= before)
    locked = rows.scalars(due.with_for_update(skip_locked=True)).all()
    orphaned = delete(_INSTALLATIONS).where(_INSTALLATIONS.c.id.in_(locked), ~_HAS_CONNECTION)
    columns = [_INSTALLATIONS.c[name] for name in ErasedInstallation._fields]
    return fetch_all(rows, orphaned.returning(*columns), ErasedInstallation)


def erase_unused_installation(session: Session, installation_id: str) -> bool:
    """Delete the installation and its tokens unless a connection uses it. Return whether it was deleted."""
    unused = delete(_INSTALLATIONS).where(_INSTALLATIONS.c.id == installation_id, ~_HAS_CONNECTION)
    return session.execute(unused.returning(_INSTALLATIONS.c.id)).first() is not None


def erase_integration(session: Session, integration_id: str) -> None:
    """Delete the integration and everything that belongs to it."""
    connection_ids = select(CONNECTIONS.c.id).where(CONNECTIONS.c.integration_id == integration_id)
    session.execute(delete(CONNECTION_CONTEXTS).where(CONNECTION_CONTEXTS.c.connection_id.in_(connection_ids)))
    for table in _OF_INTEGRATION:
        session.execute(delete(table).where(table.c.integration_id == integration_id))
    session.execute(delete(Integration).where(Integration.id == integration_id))


def _delete(session: Session, table: Table, due: Select[Any]) -> int:
    (key,) = table.primary_key
    ids = session.scalars(due.with_for_update(skip_locked=True)).all()
    session.execute(delete(table).where(key.in_(ids)))
    return len(ids)
