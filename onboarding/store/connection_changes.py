"""Add, change and remove channel connections, and keep their words up to date."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from onboarding.identity import context_digest
from onboarding.outcomes import ConnectionStatus
from onboarding.store import connection_words
from onboarding.store.connected_installations import ConnectedInstallation
from onboarding.store.connections import CONNECTION_CONTEXTS, TABLE, sort_name
from onboarding.store.inserts import CompiledInsert, NewRows, insert_together
from onboarding.store.rows import Rows, fetch_all, fetch_first
from onboarding.store.types import columns_of


class _SearchedRow(NamedTuple):
    """The columns by whose words a connection is found."""

    id: str
    environment_id: str
    workspace_name: str | None
    workspace_id: str
    subscriber_id: str | None
    identifier: str
    #: A JSON list.
    context_keys: str


class ChangedConnection(NamedTuple):
    """A connection that this transaction has changed, as an audit entry names it."""

    id: str
    environment_id: str
    identifier: str
    workspace_id: str
    workspace_name: str | None


class ConnectionOfInstallation(NamedTuple):
    """A connection before a verdict of Slack on its token."""

    id: str
    environment_id: str
    identifier: str
    workspace_id: str
    workspace_name: str | None
    status: ConnectionStatus


_CHANGED = columns_of(TABLE, ChangedConnection._fields)
_INSERT, _INSERT_KEYS = CompiledInsert(TABLE), CompiledInsert(CONNECTION_CONTEXTS)
#: Without `values()`, the SET clause consists of the other parameters.
_CHANGE = update(TABLE).where(TABLE.c.id == bindparam("connection"))


def add(rows: Rows, context_keys: Sequence[str], **values: Any) -> None:
    """Add a connection.

    Raises IntegrityError, which `transaction()` turns into Conflict, if identity or identifier is taken.
    """
    insert_together(rows, *_new_rows([(context_keys, {"workspace_name": None, **values})]))


def add_many(rows: Rows, new: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> None:
    """Add connections, each with its context keys and the values that `add` takes."""
    for one in _new_rows(new):
        one.insert.all(rows, one.values)


def change(rows: Rows, connection_id: str, **values: object) -> None:
    renamed = _renamed(rows, TABLE.c.id == connection_id, values)
    rows.execute(_CHANGE, {"connection": connection_id, **_with_sort_name(values)})
    _replace_words(rows, renamed)


def change_all_on(
    rows: Rows, installation_id: str, values: Mapping[str, object], workspace_ids: Collection[str] | None = None
) -> Sequence[str]:
    """Change every connection that uses the installation, and return their ids. The caller has locked the installation.

    `workspace_ids`: change only the connections to these workspaces.

    A connection that another transaction has locked is skipped: an install is moving it to another installation.
    Two installs that swap workspaces do not wait for each other this way.
    """
    matching = TABLE.c.installation_id == installation_id
    if workspace_ids is not None:
        matching &= TABLE.c.workspace_id.in_(workspace_ids)
    renamed = _renamed(rows, matching, values)
    locked = select(TABLE.c.id).where(matching).with_for_update(key_share=True, skip_locked=True)
    done = update(TABLE).where(TABLE.c.id.in_(locked)).values(_with_sort_name(values)).returning(TABLE.c.id)
    changed: Sequence[str] = rows.scalars(done).all()
    _replace_words(rows, renamed)
    return changed


def all_on(rows: Rows, installation_id: str) -> Sequence[ConnectionOfInstallation]:
    """Return the connections that use the installation."""
    query = select(*columns_of(TABLE, ConnectionOfInstallation._fields))
    return fetch_all(rows, query.where(TABLE.c.installation_id == installation_id), ConnectionOfInstallation)


def disconnect_all_on(rows: Rows, installation_id: str, reason: str, at: datetime) -> Sequence[ChangedConnection]:
    """Detach every connection from the installation, because Slack has ended the access. Return them.

    The caller has locked the installation against every use. A connection that an install moves away stays with that
    install.
    """
    values = {
        "installation_id": None,
        "status": ConnectionStatus.DISCONNECTED,
        "status_reason": reason,
        "checked_at": at,
        "updated_at": at,
    }
    done = update(TABLE).where(TABLE.c.installation_id == installation_id).values(values)
    return fetch_all(rows, done.returning(*_CHANGED), ChangedConnection)


def set_status(
    rows: Rows, seen: ConnectedInstallation, status: ConnectionStatus, reason: str | None, at: datetime
) -> ChangedConnection | None:
    """Change the status of a connection that still has the installation that was seen. None if nothing changes."""
    matching = (
        TABLE.c.id == seen.connection.id,
        TABLE.c.installation_id == seen.installation.id,
        TABLE.c.status != status,
    )
    done = update(TABLE).where(*matching).values(status=status, status_reason=reason, checked_at=at, updated_at=at)
    return fetch_first(rows, done.returning(*_CHANGED), ChangedConnection)


def of_workspace(rows: Rows, integration_id: str, workspace_id: str) -> Sequence[ChangedConnection]:
    """Return the connections of a workspace."""
    matching = TABLE.c.integration_id == integration_id, TABLE.c.workspace_id == workspace_id
    return fetch_all(rows, select(*_CHANGED).where(*matching), ChangedConnection)


def rename(rows: Rows, integration_id: str, workspace_id: str, name: str, at: datetime) -> Sequence[ChangedConnection]:
    """Give the connections of a workspace its new name. Return those whose name has changed."""
    matching = (
        TABLE.c.integration_id == integration_id,
        TABLE.c.workspace_id == workspace_id,
        TABLE.c.workspace_name.is_distinct_from(name),
    )
    values = {"workspace_name": name, "sort_name": sort_name(name, workspace_id), "updated_at": at}
    found = fetch_all(rows, update(TABLE).where(*matching).values(values).returning(*_CHANGED), ChangedConnection)
    _replace_words(rows, [one.id for one in found])
    return found


def _with_sort_name(values: Mapping[str, Any]) -> dict[str, Any]:
    if "workspace_name" not in values:
        return dict(values)
    return {**values, "sort_name": sort_name(values["workspace_name"], values["workspace_id"])}


def _new_rows(new: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> list[NewRows]:
    """Return the rows of connections, of their context keys and of their words, in the order of the foreign keys."""
    connections, keys, words = [], [], []
    for context_keys, values in new:
        derived = {"context_keys": json.dumps(list(context_keys)), "context_digest": context_digest(context_keys)}
        row = {**_with_sort_name(values), **derived}
        connections.append(row)
        ids = {"connection_id": row["id"], "environment_id": row["environment_id"]}
        keys += [{**ids, "key": key, "position": position} for position, key in enumerate(context_keys)]
        words += connection_words.rows_of(row["environment_id"], row["id"], _searched(row))
    return [NewRows(_INSERT, connections), NewRows(_INSERT_KEYS, keys), NewRows(connection_words.INSERT, words)]


def _renamed(rows: Rows, condition: ColumnElement[bool], values: Mapping[str, object]) -> Sequence[str]:
    """Return the connections whose workspace gets another id or name."""
    given = [name for name in ("workspace_id", "workspace_name") if name in values]
    if not given:
        return ()
    differs = or_(*(TABLE.c[name].is_distinct_from(values[name]) for name in given))
    return rows.scalars(select(TABLE.c.id).where(condition, differs)).all()


def _replace_words(rows: Rows, connection_ids: Sequence[str]) -> None:
    if not connection_ids:
        return
    connection_words.remove(rows, connection_ids)
    query = select(*columns_of(TABLE, _SearchedRow._fields)).where(TABLE.c.id.in_(connection_ids))
    found = fetch_all(rows, query, _SearchedRow)
    words = [word for row in found for word in connection_words.rows_of(row.environment_id, row.id, _texts(row))]
    connection_words.INSERT.all(rows, words)


def _searched(row: Mapping[str, Any]) -> list[str | None]:
    return _texts(_SearchedRow._make(row.get(name) for name in _SearchedRow._fields))


def _texts(row: _SearchedRow) -> list[str | None]:
    """Return the texts whose words find the connection."""
    return [row.workspace_name, row.workspace_id, row.subscriber_id, row.identifier, *json.loads(row.context_keys)]


def remove(session: Session, connection_id: str) -> bool:
    """Remove the connection, its context keys and its words. Return False if another transaction has removed it."""
    done = session.execute(delete(TABLE).where(TABLE.c.id == connection_id).returning(TABLE.c.id))
    return done.first() is not None
