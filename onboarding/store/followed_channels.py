"""Channel endpoints that follow their channel's events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from onboarding.outcomes import EndpointStatus
from onboarding.sealed import Sealed
from onboarding.store.channel_endpoints import CONNECTION, TABLE
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.types import is_named


class EndpointOfChannel(NamedTuple):
    """An endpoint whose Slack channel an event is about, with its connection."""

    id: str
    environment_id: str
    identifier: str
    type: str
    endpoint: Sealed
    status: EndpointStatus
    status_at: datetime | None
    name_at: datetime | None
    connection_identifier: str
    workspace_id: str
    workspace_name: str | None


_OF_CHANNEL = (
    select(
        *(TABLE.c[name] for name in EndpointOfChannel._fields if name in TABLE.c),
        CONNECTION.c.identifier.label("connection_identifier"),
        CONNECTION.c.workspace_id,
        CONNECTION.c.workspace_name,
    )
    .join_from(TABLE, CONNECTION, TABLE.c.connection_id == CONNECTION.c.id)
    .order_by(TABLE.c.id)
)


def of_channel(
    rows: Rows, integration_id: str, workspace_ids: Collection[str], channel_id: str
) -> Sequence[EndpointOfChannel]:
    """Return the endpoints of a channel that belong to a connection of these workspaces, locked."""
    named = TABLE.c.integration_id == integration_id, is_named(TABLE.c.channel_id, channel_id)
    query = _OF_CHANNEL.where(*named, CONNECTION.c.workspace_id.in_(workspace_ids))
    return fetch_all(rows, query.with_for_update(of=TABLE), EndpointOfChannel)


def follow_channel(rows: Rows, endpoint_id: str, **values: object) -> None:
    """Store what an event of Slack's says about the endpoint's channel."""
    rows.execute(update(TABLE).where(TABLE.c.id == endpoint_id).values(values))


def has_active_channel(rows: Rows, connection_id: str) -> bool:
    """Return whether messages of the connection have a channel to go to."""
    matching = TABLE.c.connection_id == connection_id, TABLE.c.type == "slack_channel"
    query = select(TABLE.c.id).where(*matching, TABLE.c.status == EndpointStatus.ACTIVE).limit(1)
    return rows.scalar(query) is not None
