"""The API's response objects and their JSON, in the format of
https://docs.novu.co/api-reference/channel-connections/create-a-channel-connection.

Optional members without a value are omitted: one official client rejects null.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from onboarding.outcomes import ConnectionStatus, EndpointStatus

CHANNEL = "chat"
PROVIDER_ID = "slack"
#: The official clients require an organization. A deployment is one organization.
ORGANIZATION = "self-hosted"
#: A subscriber's profile: the column's name and the JSON member's name.
PROFILE = {
    "first_name": "firstName",
    "last_name": "lastName",
    **{name: name for name in ("email", "phone", "avatar", "locale", "timezone", "data")},
}


@dataclass(frozen=True, slots=True)
class Connection:
    """A channel connection. `access_token` is None unless the caller requested it and may see it."""

    id: str
    identifier: str
    integration_identifier: str
    mode: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str
    workspace_name: str | None
    bot_user_id: str | None
    status: ConnectionStatus
    status_reason: str | None
    checked_at: datetime | None
    installed_by: str | None
    created_at: datetime
    updated_at: datetime
    scopes: tuple[str, ...]
    has_refresh_token: bool
    token_expires_at: datetime | None
    refresh_token_expires_at: datetime | None
    #: `verify`, `reconnect` or `update_permissions`.
    next_steps: tuple[str, ...]
    access_token: str | None = field(default=None, repr=False)
    #: False for a token that is stored and cannot be decrypted.
    has_access_token: bool = True


@dataclass(frozen=True)
class ChannelEndpoint:
    identifier: str
    integration_identifier: str
    connection_identifier: str | None
    subscriber_id: str
    context_keys: tuple[str, ...]
    type: str
    #: A webhook's `url` is a credential: anyone who knows it can post there.
    endpoint: Mapping[str, Any] = field(repr=False)
    status: EndpointStatus
    created_at: datetime
    updated_at: datetime

    @property
    def has_secret(self) -> bool:
        """Return whether the endpoint contains a credential that can be read."""
        return bool(self.endpoint.get("url"))


@dataclass(frozen=True)
class Subscriber:
    environment_id: str
    subscriber_id: str
    #: The members of `PROFILE` that have a value; `data` is an object.
    profile: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Context:
    type: str
    id: str
    data: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


def timestamp(when: datetime) -> str:
    """Return `when` as ISO 8601 in UTC, with milliseconds and `Z`."""
    utc = when if when.tzinfo is UTC else when.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:23] + "Z"


def connection(one: Connection, with_token: bool) -> dict[str, Any]:
    """Return the JSON object of a connection. `with_token`: show the access token that `one` contains."""
    members: dict[str, Any] = {
        "identifier": one.identifier,
        "channel": CHANNEL,
        "providerId": PROVIDER_ID,
        "integrationIdentifier": one.integration_identifier,
        "subscriberId": one.subscriber_id,
        "contextKeys": one.context_keys,
        "workspace": _workspace(one),
        "auth": _auth(one, with_token),
        "createdAt": timestamp(one.created_at),
        "updatedAt": timestamp(one.updated_at),
        "connectionMode": one.mode,
        "status": one.status,
    }
    if one.status_reason is not None:
        members["statusReason"] = one.status_reason
    if one.checked_at is not None:
        members["checkedAt"] = timestamp(one.checked_at)
    if one.scopes:
        members["scopes"] = one.scopes
    if one.installed_by is not None:
        members["installedBy"] = one.installed_by
    if one.next_steps:
        members["next"] = one.next_steps
    return members


def channel_endpoint(one: ChannelEndpoint, with_secret: bool) -> dict[str, Any]:
    """Return the JSON object of a channel endpoint. `with_secret`: show the address of a webhook."""
    endpoint = dict(one.endpoint)
    if one.has_secret and not with_secret:
        endpoint["url"] = ""
    return {
        "identifier": one.identifier,
        "channel": CHANNEL,
        "providerId": PROVIDER_ID,
        "integrationIdentifier": one.integration_identifier,
        "connectionIdentifier": one.connection_identifier,
        "subscriberId": one.subscriber_id,
        "contextKeys": one.context_keys,
        "type": one.type,
        "endpoint": endpoint,
        "status": one.status,
        "createdAt": timestamp(one.created_at),
        "updatedAt": timestamp(one.updated_at),
    }


def subscriber(one: Subscriber) -> dict[str, Any]:
    """Return the JSON object of a subscriber."""
    return {
        "_organizationId": ORGANIZATION,
        "_environmentId": one.environment_id,
        "subscriberId": one.subscriber_id,
        **{PROFILE[name]: value for name, value in one.profile.items()},
        "deleted": False,
        "createdAt": timestamp(one.created_at),
        "updatedAt": timestamp(one.updated_at),
    }


def context(one: Context) -> dict[str, Any]:
    """Return the JSON object of a context."""
    return {
        "type": one.type,
        "id": one.id,
        "data": one.data,
        "createdAt": timestamp(one.created_at),
        "updatedAt": timestamp(one.updated_at),
    }


def _workspace(one: Connection) -> dict[str, str]:
    workspace = {"id": one.workspace_id}
    if one.workspace_name is not None:
        workspace["name"] = one.workspace_name
    if one.bot_user_id is not None:
        workspace["botUserId"] = one.bot_user_id
    return workspace


def _auth(one: Connection, with_token: bool) -> dict[str, Any]:
    # The official clients reject an object without `accessToken`.
    auth: dict[str, Any] = {"accessToken": ""}
    if one.access_token is not None and with_token:
        auth["accessToken"] = one.access_token
    else:
        auth["hasAccessToken"] = one.has_access_token
    if one.has_refresh_token:
        auth["hasRefreshToken"] = True
    if one.token_expires_at:
        auth["expiresAt"] = timestamp(one.token_expires_at)
    if one.refresh_token_expires_at:
        auth["refreshTokenExpiresAt"] = timestamp(one.refresh_token_expires_at)
    return auth
