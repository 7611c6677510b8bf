"""Change workspaces and channels as people in Slack do, and send the events to the apps."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onboarding.practice.ledger import Installation
from onboarding.practice.registration import PracticeApp
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.workspaces import Channel, Workspace

#: The changes of a channel.
ACTIONS = ("rename", "archive", "unarchive", "delete")
#: An app gets `app_mention` with this scope only.
MENTION_SCOPE = "app_mentions:read"
#: A `-` is escaped for browsers, whose patterns need that.
CHANNEL_NAME = r"[a-z0-9_\-]{1,80}"


def add_to_workspace(slack: PracticeSlack, client_id: str, workspace: str) -> bool:
    """Add an organization's app to one of its workspaces. Return False if the organization does not have the app."""
    org = slack.workspaces[workspace].enterprise_id or ""
    with slack.changing() as ledger:
        installation = ledger.installation(client_id, org)
        is_new = installation is not None and workspace not in installation.teams
        if installation and is_new:
            installation.teams.append(workspace)
    if is_new:
        _send_team_access(slack, client_id, org, "team_access_granted", workspace)
    return installation is not None


def remove_from_workspace(slack: PracticeSlack, client_id: str, workspace: str) -> bool:
    """Remove an organization's app from one of its workspaces. Return False if it is not there."""
    org = slack.workspaces[workspace].enterprise_id or ""
    with slack.changing() as ledger:
        installation = ledger.installation(client_id, org)
        is_there = installation is not None and workspace in installation.teams
        if installation and is_there:
            installation.teams.remove(workspace)
    if is_there:
        _send_team_access(slack, client_id, org, "team_access_revoked", workspace)
    return is_there


def rename_workspace(slack: PracticeSlack, workspace: str, name: str) -> bool:
    """Rename a workspace. Return False if it has this name."""
    changed = replace(slack.workspaces[workspace], name=name)
    if not name or changed == slack.workspaces[workspace]:
        return False
    slack.change_workspace(changed)
    _send(slack, changed, {"type": "team_rename", "name": name}, "team:read")
    return True


def change_channel(slack: PracticeSlack, workspace: str, name: str, action: str, new_name: str = "") -> bool:
    """Rename, archive, unarchive or delete the channel named `name`. Return False if that is not possible."""
    before = slack.workspaces[workspace]
    channel = next((one for one in before.channels if one.name == name), None)
    if channel is None:
        return False
    if action == "rename":
        is_taken = any(one.name == new_name for one in before.channels)
        changed = None if is_taken or not re.fullmatch(CHANNEL_NAME, new_name) else replace(channel, name=new_name)
    elif action == "delete":
        kept = tuple(one for one in before.channels if one != channel)
        slack.change_workspace(replace(before, channels=kept))
        _send_about_channel(slack, before, channel, "deleted")
        return True
    else:
        is_archived = action == "archive"
        changed = None if channel.is_archived == is_archived else replace(channel, is_archived=is_archived)
    if changed is None:
        return False
    channels = tuple(changed if one == channel else one for one in before.channels)
    slack.change_workspace(replace(before, channels=channels))
    _send_about_channel(slack, before, changed, action)
    return True


def mention(slack: PracticeSlack, workspace: str, name: str) -> bool:
    """Mention the apps in the channel named `name`: https://docs.slack.dev/reference/events/app_mention.

    An app gets the event if it has the scope `app_mentions:read` and is a member of the channel. Return False if no app
    gets it.
    """
    found = slack.workspaces[workspace]
    channel = next((one for one in found.channels if one.name == name), None)
    if channel is None:
        return False
    timestamp = f"{slack.now():.6f}"
    event = {
        "type": "app_mention",
        "user": found.person.id,
        "channel": channel.id,
        "ts": timestamp,
        "event_ts": timestamp,
    }
    recipients = list(_recipients(slack, found, MENTION_SCOPE, channel.id))
    for app, installation in recipients:
        _deliver(slack, found, app, installation, {**event, "text": f"<@{installation.bot_user_id}> Hello"})
    return bool(recipients)


def _send_about_channel(slack: PracticeSlack, workspace: Workspace, channel: Channel, action: str) -> None:
    """Send an event such as https://docs.slack.dev/reference/events/channel_rename."""
    kind, scope = ("group", "groups:read") if channel.is_private else ("channel", "channels:read")
    event: dict[str, Any] = {"type": f"{kind}_{action}", "channel": channel.id, "user": workspace.person.id}
    if action == "rename":
        event = {"type": f"{kind}_rename", "channel": {"id": channel.id, "name": channel.name, "created": 1360782804}}
    _send(slack, workspace, event, scope, channel.id if channel.is_private else "")


def _send(slack: PracticeSlack, workspace: Workspace, event: dict[str, Any], scope: str, channel_id: str = "") -> None:
    """Send an event to the apps that have the scope, and are members of the channel if one is named."""
    for app, installation in _recipients(slack, workspace, scope, channel_id):
        _deliver(slack, workspace, app, installation, event)


def _recipients(
    slack: PracticeSlack, workspace: Workspace, scope: str, channel_id: str
) -> Iterator[tuple[PracticeApp, Installation]]:
    for installation in _installations(slack, workspace):
        app = slack.app(installation.client_id)
        if app is None or scope not in installation.bot_scopes:
            continue
        if not channel_id or channel_id in installation.channels:
            yield app, installation


def _deliver(
    slack: PracticeSlack, workspace: Workspace, app: PracticeApp, installation: Installation, event: dict[str, Any]
) -> None:
    authorization = {
        "enterprise_id": workspace.enterprise_id,
        "team_id": workspace.id,
        "user_id": installation.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": installation.workspace_id != workspace.id,
    }
    envelope = {"team_id": workspace.id, "enterprise_id": workspace.enterprise_id}
    slack.events.send(app, {**envelope, "authorizations": [authorization]}, [event])


def _installations(slack: PracticeSlack, workspace: Workspace) -> Iterator[Installation]:
    for one in slack.installations():
        if one.workspace_id == workspace.id or (
            one.workspace_id == workspace.enterprise_id and workspace.id in one.teams
        ):
            yield one


def _send_team_access(slack: PracticeSlack, client_id: str, org: str, kind: str, workspace: str) -> None:
    """Send an event such as https://docs.slack.dev/reference/events/team_access_granted."""
    app = slack.app(client_id)
    if app is not None:
        slack.events.send(app, {"team_id": None, "enterprise_id": org}, [{"type": kind, "team_ids": [workspace]}])
