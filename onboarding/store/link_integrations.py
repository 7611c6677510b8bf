"""The integration of a new link, with the origins that it allows."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, select

from onboarding.store import origins
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import table_of
from onboarding.store.integrations import Integration
from onboarding.store.rows import Rows
from onboarding.store.types import columns_of


class LinkedIntegration(NamedTuple):
    """The integration of a new link, and whether it allows the origins of the link's addresses."""

    id: str
    environment_id: str
    identifier: str
    scopes: str
    allows_return_url: bool
    allows_refresh_url: bool


_INTEGRATIONS = table_of(Integration)


def _allows(name: str) -> ColumnElement[bool]:
    """Return the condition that the integration allows the origin in the parameter `name`."""
    table = origins.TABLE
    return exists().where(table.c.integration_id == _INTEGRATIONS.c.id, table.c.origin == bindparam(name))


_INTEGRATION = CompiledStatement(
    select(
        *columns_of(_INTEGRATIONS, LinkedIntegration._fields[:4]),
        _allows("return_url").label("allows_return_url"),
        _allows("refresh_url").label("allows_refresh_url"),
    ).where(
        _INTEGRATIONS.c.environment_id == bindparam("environment"),
        _INTEGRATIONS.c.identifier == bindparam("identifier_"),
    ),
    LinkedIntegration,
)


def integration_for(
    rows: Rows, environment_id: str, identifier: str, page_origins: Mapping[str, str]
) -> LinkedIntegration | None:
    """Return the integration for a new link. `page_origins`: those of its `return_url` and `refresh_url`, if any."""
    values = {"environment": environment_id, "identifier_": identifier, "return_url": "", "refresh_url": ""}
    return _INTEGRATION.first(rows, {**values, **page_origins})
