"""Integrations whose events are received, with their signing secrets."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from onboarding.sealed import Sealed
from onboarding.store.compiled import CompiledStatement
from onboarding.store.integrations import TABLE
from onboarding.store.rows import Rows
from onboarding.store.types import columns_of


class SigningIntegration(NamedTuple):
    """The columns of an integration that receiving an event needs."""

    id: str
    environment_id: str
    identifier: str
    signing_secret: Sealed
    previous_signing_secret: Sealed | None
    signing_secret_changed_at: datetime | None
    app_id: str | None
    forward_url: str | None


_SIGNING = CompiledStatement(
    select(*columns_of(TABLE, SigningIntegration._fields))
    .where(TABLE.c.signing_secret.is_not(None))
    .order_by(TABLE.c.created_at, TABLE.c.id),
    SigningIntegration,
)


def all_signing(rows: Rows) -> list[SigningIntegration]:
    """Return the integrations of all environments that have a signing secret, the oldest first."""
    return _SIGNING.all(rows, {})


def remember_app(rows: Rows, integration_id: str, app_id: str) -> None:
    """Store the id of the integration's Slack app, unless one is stored."""
    matching = TABLE.c.id == integration_id, TABLE.c.app_id.is_(None)
    rows.execute(update(TABLE).where(*matching).values(app_id=app_id))
