"""Everything that the database holds, the worker's tables included."""

import base64
from collections.abc import Iterable, Iterator

from sqlalchemy import inspect, text

from onboarding.store.database import Database
from onboarding.work import SCHEMA


def contents(database: Database) -> bytes:
    parts = []
    with database.engine.connect() as connection:
        schemas = (None,) if database.is_sqlite else (None, SCHEMA)
        for schema in schemas:
            for name in inspect(connection).get_table_names(schema):
                where = f"{schema}.{name}" if schema else name
                for row in connection.execute(text(f"SELECT * FROM {where}")):  # noqa: S608  # names of ours
                    parts += [bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row]
    return b"\n".join(parts)


def count(database: Database, table: str) -> int:
    """Return how many rows a table has."""
    with database.reading() as session:
        found: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  # names of ours
    return found


def readable(database: Database, secrets: Iterable[str]) -> list[str]:
    """Return the secrets that are in the database as they are, or in an encoding that needs no key."""
    dump = contents(database)
    assert dump
    return [secret for secret in secrets if any(form in dump for form in _forms(secret.encode()))]


def _forms(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield secret.decode().encode("utf-16-le")
    # The beginning and the end of a text in base64 depend on what is beside it.
    for shift in range(3):
        inner = base64.b64encode(b"\0" * shift + secret)[4:-4]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
