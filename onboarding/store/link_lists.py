"""Links as operators list them."""

from collections.abc import Sequence

from sqlalchemy import Select, literal_column, select
from sqlalchemy.orm import Session

from onboarding.store import pagination
from onboarding.store.cursors import Position
from onboarding.store.integrations import Integration
from onboarding.store.links import TABLE, Link
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.types import is_named

#: The condition of the index `ix_links_listed`, as literals: SQLite does not use the index for a condition with
#: parameters.
_IS_LISTED = TABLE.c.kind.not_in([literal_column("'address'"), literal_column("'session'")])


def newest(session: Session, environment_id: str, limit: int) -> Sequence[tuple[Link, str]]:
    """Return the environment's newest links, without those of API callers, each with its integration's identifier."""
    query = _listed(environment_id).order_by(Link.created_at.desc(), Link.id.desc()).limit(limit)
    return [(link, identifier) for link, identifier in session.execute(query)]


def page(session: Session, environment_id: str, request: StorePageRequest) -> PageRows[tuple[Link, str]]:
    """Return a page of the environment's links, without those of API callers."""

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[tuple[Link, str]]:
        query = pagination.seek(_listed(environment_id), TABLE.c.created_at, TABLE.c.id, descending, position)
        return [(link, identifier) for link, identifier in session.execute(query.limit(size))]

    return pagination.fetch_page(fetch, request, lambda row: Position((row[0].created_at,), row[0].id))


def with_integration(session: Session, environment_id: str, link_id: str) -> tuple[Link, str] | None:
    """Return a link with its integration's identifier. None for an unknown link, and for one of an API caller."""
    found = session.execute(_listed(environment_id).where(is_named(TABLE.c.id, link_id)))
    return next(((link, identifier) for link, identifier in found), None)


def _listed(environment_id: str) -> Select[Link, str]:
    query = select(Link, Integration.identifier).join(Integration, Integration.id == Link.integration_id)
    return query.where(Link.environment_id == environment_id, _IS_LISTED)
