"""Columns that refer to each other have one width, so a long email address fits into each of them."""

import pytest
from sqlalchemy import Column, String

from onboarding.store import schema
from tests.browser_client import BrowserClient, Site

#: Columns that refer to another table without a foreign key, because the row may outlive the other.
_REFERENCES = {
    "attempts.operator_label": "operators.email",
    "attempts.approval_link_id": "links.id",
    "attempts.connection_identifier": "channel_connections.identifier",
    "attempts.identity_key": "channel_connections.identity_key",
    "attempts.workspace_id": "channel_connections.workspace_id",
    "attempts.expected_workspace_id": "channel_connections.workspace_id",
    "attempts.workspace_name": "channel_connections.workspace_name",
    "attempts.expected_workspace_name": "channel_connections.workspace_name",
    "links.operator_label": "operators.email",
    "links.parent_id": "links.id",
    "links.used_by_attempt": "attempts.id",
    "links.used_identity_key": "channel_connections.identity_key",
    "links.workspace_id": "channel_connections.workspace_id",
    "links.connection_identifier": "channel_connections.identifier",
    "links.subscriber_id": "subscribers.subscriber_id",
    "channel_endpoints.subscriber_id": "subscribers.subscriber_id",
    "channel_connections.subscriber_id": "subscribers.subscriber_id",
    "channel_connections.installed_by": "installations.installer_id",
    "channel_connections.bot_user_id": "installations.bot_user_id",
}
_TABLES = schema.METADATA.tables
_FOREIGN_KEYS = {
    f"{table.name}.{key.parent.name}": key.target_fullname for table in _TABLES.values() for key in table.foreign_keys
}


@pytest.mark.once
@pytest.mark.parametrize(("column", "referred"), sorted({**_FOREIGN_KEYS, **_REFERENCES}.items()))
def test_columns_that_refer_to_each_other_have_one_width(column: str, referred: str) -> None:
    assert _width(column) == _width(referred)


@pytest.mark.once
def test_every_column_that_sounds_like_a_reference_is_compared() -> None:
    """A new column named after another table's row is either a foreign key or in the list above."""
    named = {
        f"{table.name}.{column.name}"
        for table in _TABLES.values()
        for column in table.columns
        if column.name.startswith(("operator", "parent", "used_by", "approval", "link", "connection", "expected"))
        and isinstance(column.type, String)
        and column.type.length is not None
        and not column.primary_key
    }
    assert named <= {*_FOREIGN_KEYS, *_REFERENCES}


def test_operator_with_a_long_email_starts_an_install(site: Site) -> None:
    with BrowserClient(site) as person:
        person.signs_in(f"{'a' * 300}@northwind.test")
        consent = person.presses(person.opens("/slack/install"), "connect")
        assert person.allows(consent).name == "setup"


def _width(name: str) -> int | None:
    table, _, column = name.partition(".")
    found: Column[str] = _TABLES[table].columns[column]
    assert isinstance(found.type, String)
    return found.type.length
