"""Build the API's connection from a row of the store."""

from dataclasses import replace

import orjson

from onboarding.documents import Connection
from onboarding.outcomes import ConnectionStatus
from onboarding.slack import scopes
from onboarding.store.connection_documents import ConnectionRow

_UNREADABLE = "The stored token cannot be decrypted: it is damaged, or ENCRYPTION_KEYS lacks its key. Connect the workspace again."


def connection_of(row: ConnectionRow, access_token: str | None = None) -> Connection:
    """Build the record from a row of the store."""
    return Connection(
        row.id,
        row.identifier,
        row.integration_identifier,
        row.mode,
        row.subscriber_id,
        tuple(orjson.loads(row.context_keys)),
        row.workspace_id,
        row.workspace_name,
        row.bot_user_id,
        row.status,
        row.status_reason,
        row.checked_at,
        row.installed_by,
        row.created_at,
        row.updated_at,
        scopes.split(row.scopes or ""),
        row.refresh_token is not None,
        row.expires_at,
        row.refresh_expires_at,
        _next_steps(row.status, row.scopes or "", requestable_scopes(row)),
        access_token,
        row.installation_id is not None,
    )


def connection_without_token(row: ConnectionRow) -> Connection:
    """Build the record of a connection whose token cannot be decrypted."""
    return replace(
        connection_of(row),
        status=ConnectionStatus.NEEDS_RECONNECT,
        status_reason=_UNREADABLE,
        next_steps=("reconnect",),
        has_access_token=False,
    )


def requestable_scopes(row: ConnectionRow) -> str:
    """Return the scopes that the connection can have: an incoming webhook belongs to a subscriber."""
    if row.mode != "shared" or scopes.INCOMING_WEBHOOK not in row.asked_scopes:
        return row.asked_scopes
    return ",".join(one for one in scopes.split(row.asked_scopes) if one != scopes.INCOMING_WEBHOOK)


def _next_steps(status: ConnectionStatus, granted: str, asked: str) -> tuple[str, ...]:
    """Return the next steps that the API suggests for a connection.

    `granted` is empty for a token that an API caller sent: its scopes are unknown, so none count as missing.
    """
    if status.is_broken:
        return ("reconnect",)
    if granted and granted != asked and set(scopes.split(asked)) - set(scopes.split(granted)):
        return ("update_permissions",)
    return ("verify",) if status is ConnectionStatus.UNKNOWN else ()
