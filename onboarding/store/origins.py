"""Allowed origins: the sites that an integration's customers can return to and that may read its sessions' state."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, bindparam, delete, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID


class AllowedOrigin(Base):
    __tablename__ = "allowed_origins"

    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"), primary_key=True)
    #: Scheme, host and port as browsers send them in `Origin`.
    origin: Mapped[str] = mapped_column(ID, primary_key=True, index=True)


TABLE = table_of(AllowedOrigin)
_OF_INTEGRATION = select(TABLE.c.origin).where(TABLE.c.integration_id == bindparam("integration")).order_by("origin")
_ANYWHERE = select(exists().where(TABLE.c.origin == bindparam("sought")))


def add(rows: Rows, integration_id: str, origin: str) -> bool:
    """Allow an origin. Return False if it was allowed before."""
    return insert_or_ignore(rows, AllowedOrigin, {"integration_id": integration_id, "origin": origin})


def remove(rows: Rows, integration_id: str, origin: str) -> bool:
    """Stop allowing an origin. Return False if it was not allowed."""
    removed = delete(TABLE).where(TABLE.c.integration_id == integration_id, TABLE.c.origin == origin)
    return rows.execute(removed.returning(TABLE.c.origin)).first() is not None


def of_integration(rows: Rows, integration_id: str) -> Sequence[str]:
    """Return the integration's origins, sorted."""
    return rows.scalars(_OF_INTEGRATION, {"integration": integration_id}).all()


def of_integrations(rows: Rows, integration_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the origins of several integrations, each list sorted."""
    query = select(TABLE.c.integration_id, TABLE.c.origin).where(TABLE.c.integration_id.in_(integration_ids))
    found: dict[str, tuple[str, ...]] = {}
    for integration_id, origin in rows.execute(query.order_by(TABLE.c.origin)):
        found[integration_id] = (*found.get(integration_id, ()), origin)
    return found


def is_listed(rows: Rows, origin: str) -> bool:
    """Return whether any integration of any environment lists the origin: a preflight request names no integration."""
    return bool(rows.scalar(_ANYWHERE, {"sought": origin}))
