"""The reads of the install flow: an attempt or a link, and the rows that belong to it, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from onboarding.store import attempts, connections, integrations, links
from onboarding.store.attempts import AttemptRow
from onboarding.store.compiled import CompiledQuery
from onboarding.store.connection_identities import IdentityRow
from onboarding.store.database import table_of
from onboarding.store.integrations import Integration, IntegrationRow
from onboarding.store.links import LinkRow, ParentRow
from onboarding.store.rows import Rows
from onboarding.store.types import columns_of

_ATTEMPTS, _INTEGRATIONS, _LINKS = attempts.TABLE, table_of(Integration), links.TABLE
_PARENTS = _LINKS.alias("parents")
_PARENT_COLUMNS = columns_of(_PARENTS, ParentRow._fields)
_CONNECTIONS = connections.TABLE


@dataclass(frozen=True)
class LinkStart:
    """A link, and what an install that starts with it needs."""

    link: LinkRow
    #: The link that an approval was created from.
    parent: ParentRow | None
    integration: IntegrationRow
    #: Whether any integration has real credentials.
    any_real: bool
    #: The connection of the link's `identity_key`.
    connection: IdentityRow | None


@dataclass(frozen=True)
class AttemptRows:
    """An attempt, and the rows it refers to."""

    attempt: AttemptRow
    integration: IntegrationRow
    #: None when an operator started from the console.
    link: LinkRow | None
    #: The link that an approval was created from.
    parent: ParentRow | None


_FROM_LINK = CompiledQuery(
    select(
        *links.COLUMNS,
        *_PARENT_COLUMNS,
        *integrations.COLUMNS,
        *columns_of(_CONNECTIONS, IdentityRow._fields),
        integrations.ANY_REAL,
    )
    .join_from(_LINKS, _INTEGRATIONS, _LINKS.c.integration_id == _INTEGRATIONS.c.id)
    .outerjoin(_PARENTS, _PARENTS.c.id == _LINKS.c.parent_id)
    .outerjoin(
        _CONNECTIONS,
        (_CONNECTIONS.c.environment_id == _LINKS.c.environment_id)
        & (_CONNECTIONS.c.identity_key == _LINKS.c.identity_key),
    )
    .where(_LINKS.c.id == bindparam("link"))
)
_FROM_INTEGRATION = CompiledQuery(
    select(*integrations.COLUMNS, integrations.ANY_REAL).where(
        _INTEGRATIONS.c.environment_id == bindparam("environment"),
        _INTEGRATIONS.c.identifier == bindparam("identifier"),
    )
)
_ATTEMPT = (
    select(*attempts.COLUMNS, *integrations.COLUMNS, *links.COLUMNS, *_PARENT_COLUMNS)
    .join_from(_ATTEMPTS, _INTEGRATIONS, _ATTEMPTS.c.integration_id == _INTEGRATIONS.c.id)
    .outerjoin(_LINKS, _LINKS.c.id == _ATTEMPTS.c.link_id)
    .outerjoin(_PARENTS, _PARENTS.c.id == _LINKS.c.parent_id)
)
_OF_ID = _ATTEMPT.where(_ATTEMPTS.c.id == bindparam("attempt"))
_BY_STATE = CompiledQuery(_ATTEMPT.where(_ATTEMPTS.c.state_digest == bindparam("state")))
_BY_ID = CompiledQuery(_OF_ID)
_BY_ID_SHARING = CompiledQuery(_OF_ID.with_for_update(read=True, key_share=True, of=_INTEGRATIONS))
_A, _I, _L, _P = (len(one._fields) for one in (AttemptRow, IntegrationRow, LinkRow, ParentRow))


def start_of_link(rows: Rows, link_id: str) -> LinkStart | None:
    found = _FROM_LINK.first_columns(rows, {"link": link_id})
    if found is None:
        return None
    integration, connection = found[_L + _P : _L + _P + _I], found[_L + _P + _I : -1]
    return LinkStart(
        link=LinkRow._make(found[:_L]),
        parent=_parent(found[_L : _L + _P]),
        integration=IntegrationRow._make(integration),
        any_real=bool(found[-1]),
        connection=IdentityRow._make(connection) if connection[0] is not None else None,
    )


def start_of_integration(rows: Rows, environment_id: str, identifier: str) -> tuple[IntegrationRow, bool] | None:
    """Return the integration, and whether any integration has real credentials."""
    found = _FROM_INTEGRATION.first_columns(rows, {"environment": environment_id, "identifier": identifier})
    return (IntegrationRow._make(found[:-1]), bool(found[-1])) if found else None


def attempt_by_state(rows: Rows, state_digest: str) -> AttemptRows | None:
    return _attempt(_BY_STATE.first_columns(rows, {"state": state_digest}))


def attempt_by_id(rows: Rows, attempt_id: str) -> AttemptRows | None:
    return _attempt(_BY_ID.first_columns(rows, {"attempt": attempt_id}))


def attempt_to_complete(rows: Rows, attempt_id: str) -> AttemptRows | None:
    """Return the attempt with its rows, and lock the integration against removal until the transaction ends.

    The other rows are not locked: change them by conditional UPDATEs.
    """
    return _attempt(_BY_ID_SHARING.first_columns(rows, {"attempt": attempt_id}))


def _attempt(found: Sequence[Any] | None) -> AttemptRows | None:
    if found is None:
        return None
    link, parent = found[_A + _I : _A + _I + _L], found[_A + _I + _L :]
    return AttemptRows(
        AttemptRow._make(found[:_A]),
        IntegrationRow._make(found[_A : _A + _I]),
        LinkRow._make(link) if link[0] is not None else None,
        _parent(parent),
    )


def _parent(columns: Sequence[Any]) -> ParentRow | None:
    """Build the row of an outer join: None if the first column, the primary key, is null."""
    return ParentRow._make(columns) if columns[0] is not None else None
