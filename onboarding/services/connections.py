"""Connections as operators see them: list, one, disconnect."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused, SlackProblem
from onboarding.settings import Settings
from onboarding.slack.gateway import Credentials, Gateway
from onboarding.store import audit, installations, integrations
from onboarding.store import connections as store
from onboarding.store.connections import ChannelConnection, Filter
from onboarding.store.database import Database, Session
from onboarding.vault import Place, Vault

PAGE_SIZE = 25
COUNT_CAP = 1000


@dataclass(frozen=True)
class Row:
    identifier: str
    workspace_id: str
    workspace_name: str | None
    mode: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    integration_identifier: str
    status: str
    created_at: datetime


@dataclass(frozen=True)
class Page:
    rows: tuple[Row, ...]
    next: str | None
    previous: str | None
    total: int
    total_capped: bool


@dataclass(frozen=True)
class Detail:
    """The documented object but for the token, of which only the last four characters are shown."""

    identifier: str
    channel: str
    provider_id: str
    integration_identifier: str
    mode: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str
    workspace_name: str | None
    bot_user_id: str | None
    scopes: tuple[str, ...]
    token_last_four: str
    token_since: datetime
    token_expires_at: datetime | None
    status: str
    status_reason: str | None
    checked_at: datetime | None
    installed_by: str | None
    created_at: datetime
    updated_at: datetime
    others: int


@dataclass(frozen=True)
class Disconnected:
    """`result`: revoked, already_gone, not_confirmed or kept (another connection uses the installation)."""

    result: str
    workspace_name: str
    at: datetime


@dataclass(frozen=True)
class Search:
    """The list's filters as they stand in the address."""

    q: str = ""
    status: str = ""
    integration: str = ""
    mode: str = ""
    context: str = ""

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.status, self.integration, self.mode, self.context))


class Connections:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        gateway: Gateway,
        settings: Settings,
        now: Clock,
        practice: tuple[str, str],
    ) -> None:
        """Args: practice: where the practice Slack's pages and API are."""
        self._database, self._vault, self._gateway = database, vault, gateway
        self._settings, self._now, self._practice = settings, now, practice

    def page(self, environment_id: str, search: Search, after: str | None, before: str | None) -> Page:
        """Newest first. Raises Refused for a cursor that is not ours."""
        with self._database.reading() as session:
            names = {one.id: one.identifier for one in integrations.all_of(session, environment_id)}
            wanted = {identifier: key for key, identifier in names.items()}
            narrowed = Filter(
                text=search.q or None,
                status=search.status or None,
                integration_id=wanted.get(search.integration, "none") if search.integration else None,
                mode=search.mode or None,
                context_key=search.context or None,
            )
            places = (_place(after) if after else None, _place(before) if before else None)
            found = list(store.page(session, environment_id, narrowed, PAGE_SIZE + 1, *places))
            total = store.count(session, environment_id, narrowed, COUNT_CAP + 1)
        more, rows = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
        if before:
            rows.reverse()
        has_next, has_previous = (True, more) if before else (more, bool(after))
        return Page(
            rows=tuple(_row(one, names) for one in rows),
            next=_cursor(rows[-1]) if rows and has_next else None,
            previous=_cursor(rows[0]) if rows and has_previous else None,
            total=min(total, COUNT_CAP),
            total_capped=total > COUNT_CAP,
        )

    def find(self, environment_id: str, identifier: str) -> Detail:
        """Raises NotFound."""
        with self._database.reading() as session:
            one = self._one(session, environment_id, identifier)
            integration = integrations.by_id(session, environment_id, one.integration_id)
            installation = installations.by_id(session, environment_id, one.installation_id)
            others = store.count_on_installation(session, one.installation_id) - 1
        if integration is None or installation is None:
            raise LookupError("A connection refers to both by foreign keys.")
        return Detail(
            identifier=one.identifier,
            channel="chat",
            provider_id="slack",
            integration_identifier=integration.identifier,
            mode=one.mode,
            subscriber_id=one.subscriber_id,
            context_keys=one.context_keys,
            workspace_id=one.workspace_id,
            workspace_name=one.workspace_name,
            bot_user_id=one.bot_user_id,
            scopes=tuple(filter(None, installation.scopes.split(","))),
            token_last_four=installation.token_last_four,
            token_since=installation.installed_at,
            token_expires_at=installation.expires_at,
            status=one.status,
            status_reason=one.status_reason,
            checked_at=one.checked_at,
            installed_by=one.installed_by,
            created_at=one.created_at,
            updated_at=one.updated_at,
            others=others,
        )

    def disconnect(self, environment_id: str, identifier: str, actor: str) -> str:
        """Removes the connection, and the app from the workspace where nothing else uses it. The result. Raises NotFound."""
        entry_id, revoke = ids.new_id("aud"), None
        with self._database.transaction() as session:
            one = self._one(session, environment_id, identifier)
            installation = installations.by_id(session, environment_id, one.installation_id)
            integration = integrations.by_id(session, environment_id, one.integration_id)
            store.remove(session, one.id)
            if installation and integration and not store.count_on_installation(session, installation.id):
                token = self._vault.open(
                    installation.access_token, Place("installations", "access_token", installation.id)
                )
                revoke = (self._credentials(integration), token, installation.refresh_token is not None)
                installations.remove(session, installation.id)
            name = one.workspace_name or one.workspace_id
            result = "not_confirmed" if revoke else "kept"
            entry = audit.AuditEntry(
                id=entry_id,
                environment_id=environment_id,
                at=self._now(),
                actor=actor,
                action="connection.disconnected",
                subject=identifier,
                detail=f"{result}:{name}",
            )
            audit.add(session, entry)
        if revoke is None:
            return "kept"
        try:
            result = "revoked" if self._gateway.revoke(*revoke) else "already_gone"
        except SlackProblem:
            return "not_confirmed"
        with self._database.transaction() as session:
            audit.set_detail(session, entry_id, f"{result}:{name}")
        return result

    def disconnected(self, environment_id: str, identifier: str) -> Disconnected:
        """How the last disconnect of this identifier ended. Raises NotFound."""
        with self._database.reading() as session:
            entry = audit.newest(session, environment_id, "connection.disconnected", identifier)
        if entry is None:
            raise NotFound("There was no such connection.")
        result, _, name = entry.detail.partition(":")
        return Disconnected(result, name, entry.at)

    def _one(self, session: Session, environment_id: str, identifier: str) -> ChannelConnection:
        found = store.by_identifier(session, environment_id, identifier)
        if found is None:
            raise NotFound(f"Channel connection with identifier '{identifier}' not found")
        return found

    def _credentials(self, integration: integrations.Integration) -> Credentials:
        secret = self._vault.open(integration.client_secret, Place("integrations", "client_secret", integration.id))
        if integration.is_practice:
            return Credentials(integration.client_id, secret, *self._practice)
        return Credentials(integration.client_id, secret, self._settings.slack_url, self._settings.slack_api)


def _row(one: ChannelConnection, names: dict[str, str]) -> Row:
    return Row(
        identifier=one.identifier,
        workspace_id=one.workspace_id,
        workspace_name=one.workspace_name,
        mode=one.mode,
        subscriber_id=one.subscriber_id,
        context_keys=one.context_keys,
        integration_identifier=names[one.integration_id],
        status=one.status,
        created_at=one.created_at,
    )


def _cursor(one: ChannelConnection) -> str:
    return base64.urlsafe_b64encode(f"{one.created_at.isoformat()}|{one.id}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        moment, _, row_id = text.partition("|")
        return datetime.fromisoformat(moment).astimezone(UTC), row_id
    except (binascii.Error, ValueError, OverflowError):
        raise Refused("This place in the list is not known. Start from its beginning.", "after") from None
