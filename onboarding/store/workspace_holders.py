"""The connections of a workspace."""

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, func, or_, select

from onboarding.identity import context_digest
from onboarding.store import unfinished_attempts
from onboarding.store.connections import TABLE
from onboarding.store.rows import Rows

_IN_WORKSPACE = (
    select(TABLE.c.id)
    .where(
        TABLE.c.integration_id == bindparam("integration"),
        TABLE.c.workspace_id == bindparam("workspace"),
        TABLE.c.installation_id.is_not(None),
    )
    .limit(1)
)
_OF_ANOTHER_SUBSCRIBER = _IN_WORKSPACE.where(TABLE.c.subscriber_id.is_distinct_from(bindparam("subscriber")))
_OF_ANOTHER_CONTEXT = _IN_WORKSPACE.where(
    or_(TABLE.c.subscriber_id.is_not(None), TABLE.c.context_digest != bindparam("contexts"))
)


def count_sharing(rows: Rows, integration_id: str, workspace_id: str, installation_id: str) -> int:
    """Count the connections that have the same Slack app in the same workspace, or use the same installation.

    The connection that the caller asks about is counted as well.
    """
    in_workspace = and_(
        TABLE.c.integration_id == integration_id,
        TABLE.c.workspace_id == workspace_id,
        TABLE.c.installation_id.is_not(None),
    )
    query = select(func.count()).where(or_(in_workspace, TABLE.c.installation_id == installation_id))
    return rows.scalar(query) or 0


def uses_workspace(rows: Rows, integration_id: str, workspace_id: str) -> bool:
    """Return whether a connection or a waiting grant of this integration has the workspace.

    If so, no token of the workspace may be revoked: a Slack app has one bot token per workspace.
    """
    matching = TABLE.c.integration_id == integration_id, TABLE.c.workspace_id == workspace_id
    query = select(TABLE.c.id).where(*matching, TABLE.c.installation_id.is_not(None))
    is_connected = rows.scalar(query.limit(1)) is not None
    return is_connected or unfinished_attempts.waits_in(rows, integration_id, workspace_id)


def held_by_another(
    rows: Rows, integration_id: str, workspace_id: str, subscriber_id: str | None, context_keys: Iterable[str]
) -> bool:
    """Return whether a connection of another customer has the workspace. The caller has locked the workspace.

    A customer is a subscriber, in any context; without a subscriber, an exact set of contexts. A disconnected
    connection does not hold its workspace.
    """
    values = {"integration": integration_id, "workspace": workspace_id}
    if subscriber_id is not None:
        found = rows.execute(_OF_ANOTHER_SUBSCRIBER, {**values, "subscriber": subscriber_id})
    else:
        found = rows.execute(_OF_ANOTHER_CONTEXT, {**values, "contexts": context_digest(context_keys)})
    return found.first() is not None


def name_of_workspace(rows: Rows, integration_id: str, workspace_id: str) -> str | None:
    """Return the workspace's name, else its id. None if the integration has no connection to it."""
    matching = TABLE.c.integration_id == integration_id, TABLE.c.workspace_id == workspace_id
    query = select(func.coalesce(TABLE.c.workspace_name, TABLE.c.workspace_id)).where(*matching)
    found: str | None = rows.scalar(query.limit(1))
    return found
