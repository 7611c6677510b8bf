"""Links as they are listed."""

from collections.abc import Collection
from datetime import datetime

from onboarding.clock import Clock
from onboarding.errors import NotFound
from onboarding.pagination import Page, PageRequest
from onboarding.services.links.records import NEWEST, LinkSummary
from onboarding.store import link_lists, operators, pagination
from onboarding.store import links as store
from onboarding.store.database import Database, Session

PAGE_SIZE = 25


class LinkQueries:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def page(self, environment_id: str, after: str | None, before: str | None) -> Page[LinkSummary]:
        """Return a page of links, the newest first, without the install URLs that API callers request.

        Raises Refused for an invalid cursor.
        """
        asked = PageRequest(PAGE_SIZE, after or None, before if not after else None)
        request = pagination.store_page_request("links", environment_id, asked)
        with self._database.reading() as session:
            found, editors = link_lists.page(session, environment_id, request), _editors(session)
        at = self._now()
        return pagination.page_of(request, found, 0, 0, lambda row: _summary(*row, _state(row[0], at, editors)))

    def newest(self, environment_id: str) -> tuple[LinkSummary, ...]:
        """Return the newest links, at most `NEWEST`, without the install URLs that API callers request."""
        with self._database.reading() as session:
            found, editors = link_lists.newest(session, environment_id, NEWEST), _editors(session)
        return tuple(_summary(link, identifier, _state(link, self._now(), editors)) for link, identifier in found)

    def find(self, environment_id: str, link_id: str) -> LinkSummary:
        """Return a link of the environment. Raises NotFound, also for the install URLs that API callers request."""
        with self._database.reading() as session:
            found, editors = link_lists.with_integration(session, environment_id, link_id), _editors(session)
        if found is None:
            raise NotFound(kind="Link", name=link_id)
        return _summary(*found, _state(found[0], self._now(), editors))


def _editors(session: Session) -> set[str]:
    """Return the labels of the operators who may change things."""
    return {one.label for one in operators.all_of(session) if one.role == "operator"}


def _summary(link: store.Link, integration_identifier: str, state: str) -> LinkSummary:
    return LinkSummary(
        id=link.id,
        integration_identifier=integration_identifier,
        kind=link.kind,
        state=state,
        subscriber_id=link.subscriber_id,
        context_keys=link.context_keys,
        offered_contexts=link.offered_contexts,
        created_at=link.created_at,
        expires_at=link.expires_at,
    )


def _state(link: store.Link, at: datetime, editors: Collection[str]) -> str:
    """Return `revoked`, `used`, `expired` or `usable`.

    `editors`: the labels of everyone who may create links in the console. A link of anyone else counts as revoked.
    """
    if link.revoked_at is not None or (link.operator_label is not None and link.operator_label not in editors):
        return "revoked"
    if link.used_at is not None:
        return "used"
    return "expired" if link.expires_at <= at else "usable"
