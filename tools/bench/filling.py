"""Fill both apps' databases through their own tables, as fast as each database accepts rows."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import Connection, Engine, Table, select

from onboarding import search_words
from onboarding.identity import context_digest, identity_key
from onboarding.outcomes import ConnectionStatus
from onboarding.settings import Settings
from onboarding.store import connections, schema
from onboarding.store.database import Database
from onboarding.vault import SealedAt, Vault
from tools.bench import lean
from tools.bench.spread import INTEGRATIONS, Fact, fact

Rows = dict[str, list[dict[str, Any]]]
_BATCH = 1_000
_OURS = ("installations", "channel_connections", "connection_contexts", "connection_words")
#: A small table keeps its indexes while it is filled.
_LARGE = 50_000


def fill_ours(settings: Settings, rows: int) -> None:
    """Fill our tables. Each connection has its own credentials, as the API stores them."""
    database, vault = Database(settings.database), Vault(settings.vault_keys)
    tables = [schema.METADATA.tables[name] for name in _OURS]
    with _open(database.engine, tables, rows) as connection:
        known = schema.METADATA.tables["integrations"]
        found = connection.execute(select(known.c.identifier, known.c.id, known.c.environment_id)).all()
        integrations = {row.identifier: (row.id, row.environment_id) for row in found}
        for batch in _batches(rows):
            _write(connection, tables, _rows_of_ours(batch, integrations, vault))
    database.close()


def fill_plain(app: Flask, rows: int) -> None:
    """Fill the naive or the lean app's database, whose tables exist already."""
    fernet: Fernet = app.config["FERNET"]
    tokens = [fernet.encrypt(f"token-{number}".encode()).decode() for number in range(100)]
    with app.app_context():
        table = cast(Table, lean.ChannelConnection.__table__)
        with _open(lean.db.engine, [table], rows) as connection:
            for batch in _batches(rows):
                _write(connection, [table], {table.name: [_row_of_plain(one, tokens) for one in batch]})
        lean.db.engine.dispose()


def _rows_of_ours(batch: list[Fact], integrations: Mapping[str, tuple[str, str]], vault: Vault) -> Rows:
    rows: Rows = {name: [] for name in _OURS}
    for one in batch:
        number = hashlib.blake2b(one.identifier.encode(), digest_size=8).hexdigest()
        integration, environment = integrations[one.integration]
        shared = {"environment_id": environment, "integration_id": integration}
        row_id, grant_id = f"con_{number}", f"ins_{number}"
        # A disconnected connection has no installation: its tokens are erased.
        is_connected = one.status != ConnectionStatus.DISCONNECTED
        if is_connected:
            rows["installations"].append(
                {
                    **shared,
                    "id": grant_id,
                    "origin": "api",
                    "slack_key": f"api:{grant_id}",
                    "scopes": "",
                    "access_token": vault.seal(one.token, SealedAt("installations", "access_token", grant_id)),
                    "token_last_four": one.token[-4:],
                    "token_since": one.created_at,
                }
            )
        rows["channel_connections"].append(
            {
                **shared,
                "id": row_id,
                "identifier": one.identifier,
                "installation_id": grant_id if is_connected else None,
                "identity_key": identity_key(integration, one.subscriber_id, one.context_keys),
                "mode": "subscriber" if one.subscriber_id else "shared",
                "subscriber_id": one.subscriber_id,
                "workspace_id": one.workspace_id,
                "workspace_name": one.workspace_name,
                "sort_name": connections.sort_name(one.workspace_name, one.workspace_id),
                "status": one.status,
                "created_at": one.created_at,
                "updated_at": one.updated_at,
                "context_keys": json.dumps(one.context_keys),
                "context_digest": context_digest(one.context_keys),
            }
        )
        rows["connection_contexts"] += [
            {"connection_id": row_id, "environment_id": environment, "key": key, "position": place}
            for place, key in enumerate(one.context_keys)
        ]
        texts = one.workspace_name, one.workspace_id, one.subscriber_id, one.identifier, *one.context_keys
        rows["connection_words"] += [
            {"connection_id": row_id, "word": word, "environment_id": environment}
            for word in search_words.split(*texts)
        ]
    return rows


def _row_of_plain(one: Fact, tokens: list[str]) -> dict[str, Any]:
    return {
        "id": one.number + 1,
        "identifier": one.identifier,
        "integration_id": INTEGRATIONS.index(one.integration) + 1,
        "subscriber_id": one.subscriber_id,
        "context_keys": list(one.context_keys),
        "context_key": ",".join(sorted(one.context_keys)),
        "workspace_id": one.workspace_id,
        "workspace_name": one.workspace_name,
        "status": one.status,
        "access_token": tokens[one.number % len(tokens)],
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


@contextmanager
def _open(engine: Engine, tables: list[Table], rows: int) -> Iterator[Connection]:
    """Open a connection that is fast rather than durable; the indexes of large tables are created after the rows."""
    indexes = [index for table in tables for index in table.indexes] if rows > _LARGE else []
    quick = (
        ("PRAGMA foreign_keys=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-500000")
        if engine.dialect.name == "sqlite"
        else ("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'")
    )
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in quick:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("BEGIN")
        for index in indexes:
            index.drop(connection)
        yield connection
        for index in indexes:
            index.create(connection)
        connection.exec_driver_sql("COMMIT")
        # The settings above must not affect the next user of this pooled connection.
        connection.invalidate()
    _number_on(engine, tables)


def _number_on(engine: Engine, tables: list[Table]) -> None:
    """Set PostgreSQL's sequences past the numbers that a fill assigns."""
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as connection:
        for table in tables:
            if table.autoincrement_column is not None:
                name, column = table.name, table.autoincrement_column.name
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), (SELECT max({column}) FROM {name}))"  # noqa: S608  # names of tables
                )


def _batches(rows: int) -> Iterator[list[Fact]]:
    for first in range(0, rows, _BATCH):
        yield [fact(number, rows) for number in range(first, min(first + _BATCH, rows))]


def _write(connection: Connection, tables: list[Table], rows: Rows) -> None:
    for table in tables:
        given = rows[table.name]
        if not given:
            continue
        names = list(given[0])
        columns = [table.c[name] for name in names]
        dialect = connection.dialect
        convert = [column.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is for column in columns]
        values = [[process(row[name]) for process, name in zip(convert, names, strict=True)] for row in given]
        _put(connection, table.name, names, values)


def _put(connection: Connection, table: str, names: list[str], values: list[list[Any]]) -> None:
    listed = ", ".join(names)
    cursor = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in names)
        cursor.executemany(f"INSERT INTO {table} ({listed}) VALUES ({places})", values)  # noqa: S608  # names of columns
    else:
        with cast(Any, cursor).copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    cursor.close()


def _as_it_is(value: object) -> object:
    return value
