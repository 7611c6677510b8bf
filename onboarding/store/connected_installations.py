"""Installations together with the connections that use them and with their integration."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from onboarding.store.connections import ChannelConnection
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration
from onboarding.store.rows import Rows


@dataclass(frozen=True)
class ConnectedInstallation:
    """An installation with its integration and one of the connections that use it."""

    connection: ChannelConnection
    installation: Installation
    integration: Integration


@dataclass(frozen=True)
class OwnedInstallation:
    """An installation in one workspace or organization."""

    installation: Installation
    integration: Integration
    #: The app's bot users, as the installation and its connections name them; empty for a user's token, or if none is
    #: known.
    bot_user_ids: frozenset[str]


_CONNECTED = (
    select(ChannelConnection, Installation, Integration)
    .join(Installation, ChannelConnection.installation_id == Installation.id)
    .join(Integration, ChannelConnection.integration_id == Integration.id)
)


def of_teams(session: Session, integration_id: str, team_ids: Iterable[str]) -> list[ConnectedInstallation]:
    """Return the connections of these workspaces whose token an API caller sent."""
    matching = ChannelConnection.integration_id == integration_id, ChannelConnection.workspace_id.in_(list(team_ids))
    query = _CONNECTED.where(*matching, Installation.origin == "api")
    return [ConnectedInstallation(*row) for row in session.execute(query)]


def in_workspace(session: Session, integration_id: str, slack_key: str, owner_id: str) -> list[OwnedInstallation]:
    """Return the installations of a workspace or organization: the one that Slack granted, and those of API callers."""
    query = (
        select(Installation, Integration, ChannelConnection.bot_user_id)
        .join(Integration, Installation.integration_id == Integration.id)
        .outerjoin(ChannelConnection, ChannelConnection.installation_id == Installation.id)
        .where(Installation.integration_id == integration_id)
    )
    of_installs = query.where(Installation.slack_key == slack_key)
    of_callers = query.where(Installation.origin == "api", ChannelConnection.workspace_id == owner_id)
    found: dict[str, OwnedInstallation] = {}
    for installation, integration, bot in (*session.execute(of_installs), *session.execute(of_callers)):
        known = found.get(installation.id)
        bots = {bot, installation.bot_user_id} | (known.bot_user_ids if known else set())
        found[installation.id] = OwnedInstallation(installation, integration, frozenset(bots - {None}))
    return list(found.values())


def with_oldest_connection(session: Session, installation_id: str) -> ConnectedInstallation | None:
    """Return an installation of any environment with its integration and the oldest connection that uses it."""
    query = _CONNECTED.where(ChannelConnection.installation_id == installation_id)
    found = session.execute(query.order_by(ChannelConnection.created_at, ChannelConnection.id).limit(1)).first()
    return None if found is None else ConnectedInstallation(*found)


def check_sent_tokens_at(rows: Rows, integration_id: str, at: datetime) -> None:
    """Set an earlier time for the next check of each token that an API caller sent, unless it has none."""
    matching = Installation.integration_id == integration_id, Installation.origin == "api", Installation.check_at > at
    # In the order in which transactions lock several installations.
    locked = select(Installation.id).where(*matching).order_by(Installation.id).with_for_update()
    rows.execute(update(Installation).where(Installation.id.in_(locked)).values(check_at=at))


def check_workspace_at(rows: Rows, integration_id: str, workspace_id: str, at: datetime) -> None:
    """Set the time of the next check of each token that a connection of the workspace uses."""
    matching = ChannelConnection.integration_id == integration_id, ChannelConnection.workspace_id == workspace_id
    used = select(ChannelConnection.installation_id).where(*matching, ChannelConnection.installation_id.is_not(None))
    rows.execute(update(Installation).where(Installation.id.in_(used)).values(check_at=at))
