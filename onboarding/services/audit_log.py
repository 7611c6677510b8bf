"""The audit log as people read it: filtered, page by page, or as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.callers import ActorKind
from onboarding.changes import ChangeKind
from onboarding.clock import Clock
from onboarding.pagination import PageRequest
from onboarding.services import credential_audit
from onboarding.store import api_keys, audit, environments, pagination
from onboarding.store.audit import AuditFilter, AuditRow
from onboarding.store.database import Database, Session

PAGE_SIZE = 25
_EXPORT_BATCH = 500
#: Every action, sorted.
ACTIONS = tuple(sorted([*ChangeKind, credential_audit.READ]))
#: The choices of the time, in days, by the name in the address.
PERIODS = {"1": 1, "7": 7, "30": 30, "365": 365}


@dataclass(frozen=True)
class AuditSearch:
    """The filters as a person gives them. Empty texts and unknown choices list everything."""

    action: str = ""
    actor: str = ""
    subject: str = ""
    since: str = ""

    @property
    def is_filtered(self) -> bool:
        return self != AuditSearch()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the names of the filters whose value is not among the choices."""
        known = {"action": ACTIONS, "since": PERIODS}
        return tuple(name for name, values in known.items() if (value := getattr(self, name)) and value not in values)


@dataclass(frozen=True)
class AuditLine:
    """One entry. `actor` is empty for the server itself and for Slack."""

    at: datetime
    #: The environment's name; empty for what belongs to the whole deployment.
    environment: str
    actor_kind: str
    #: An email address, the name of an API key, the id of a link, or a user of the operating system.
    actor: str
    action: str
    subject: str
    subject_name: str
    result: str
    detail: str


@dataclass(frozen=True)
class AuditPage:
    rows: tuple[AuditLine, ...]
    next: str | None
    previous: str | None


class AuditLog:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def page(self, environment_id: str, search: AuditSearch, after: str | None, before: str | None) -> AuditPage:
        """Return a page of entries, newest first. Raises Refused for an invalid cursor."""
        asked = PageRequest(PAGE_SIZE, after or None, before if not after else None)
        return self._page(environment_id, search, asked)

    def export(self, environment_id: str, search: AuditSearch) -> Iterator[AuditLine]:
        """Yield all entries, newest first. They are read in batches, so an export of any length needs little memory."""
        after: str | None = None
        while True:
            page = self._page(environment_id, search, PageRequest(_EXPORT_BATCH, after))
            yield from page.rows
            after = page.next
            if after is None:
                return

    def _page(self, environment_id: str, search: AuditSearch, asked: PageRequest) -> AuditPage:
        request = pagination.store_page_request("audit", environment_id, asked)
        with self._database.reading() as session:
            names = _Names(session, environment_id)
            found = audit.page(session, environment_id, self._filter(names, search), request)
        page = pagination.page_of(request, found, 0, 0, names.line)
        return AuditPage(page.rows, page.next, page.previous)

    def _filter(self, names: "_Names", search: AuditSearch) -> AuditFilter:
        days = PERIODS.get(search.since)
        return AuditFilter(
            action=search.action if search.action in ACTIONS else "",
            actors=names.actors(search.actor),
            subject=search.subject,
            since=self._now() - timedelta(days=days) if days else None,
        )


class _Names:
    """The names of API keys and environments. Entries contain their ids."""

    def __init__(self, session: Session, environment_id: str) -> None:
        self._keys = {one.id: one.name for one in api_keys.all_of(session, environment_id)}
        self._environments = {one.id: one.name for one in environments.all_of(session)}

    def actors(self, text: str) -> tuple[str, ...]:
        """Return the actors that a person may mean; empty for an empty text, which means all."""
        if not text:
            return ()
        keys = [key_id for key_id, name in self._keys.items() if name == text]
        return (text, *(f"{kind}:{text}" for kind in ActorKind), *(f"{ActorKind.API_KEY}:{one}" for one in keys))

    def line(self, row: AuditRow) -> AuditLine:
        kind, _, name = row.actor.partition(":")
        return AuditLine(
            at=row.at,
            environment=self._environments.get(row.environment_id or "", ""),
            actor_kind=kind,
            actor=self._keys.get(name, name) if kind == ActorKind.API_KEY else name,
            action=row.action,
            subject=row.subject,
            subject_name=row.subject_name or "",
            result=row.result or "",
            detail=row.detail,
        )
