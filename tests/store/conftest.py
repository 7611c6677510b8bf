"""A database with enough rows for a database to choose indexes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from onboarding import files
from onboarding.store import schema
from onboarding.store.database import Database
from tests import postgres
from tests.database_rounds import DATABASE
from tests.store.plan_rows import fill


@pytest.fixture(scope="module")
def filled_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = postgres.new_database() if DATABASE == "postgresql" else f"sqlite:///{tmp_path_factory.mktemp('p')}/p.sqlite3"
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    schema.upgrade(database, files.migrations())
    with database.transaction() as session:
        fill(session)
    if DATABASE == "postgresql":
        with database.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    database.close()
    yield url
    if DATABASE == "postgresql":
        postgres.drop(url)


@pytest.fixture
def database(filled_url: str) -> Iterator[Database]:
    opened = Database(filled_url.replace("postgresql://", "postgresql+psycopg://"))
    yield opened
    opened.close()
