"""All mapped classes together, and bringing a database to the newest migration."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from onboarding.store import (
    answers,
    api_keys,
    attempts,
    audit,
    connections,
    contexts,
    endpoints,
    environments,
    installations,
    integrations,
    links,
    operators,
    subscribers,
)
from onboarding.store.database import Base, Database

TABLES = (
    answers,
    api_keys,
    attempts,
    audit,
    connections,
    contexts,
    endpoints,
    environments,
    installations,
    integrations,
    links,
    operators,
    subscribers,
)
METADATA = Base.metadata


def upgrade(database: Database, migrations: Path, revision: str = "head") -> None:
    """Raises StorageProblem when the database is locked or gone."""
    with database.faults():
        command.upgrade(_config(database, migrations), revision)


def downgrade(database: Database, migrations: Path, revision: str) -> None:
    command.downgrade(_config(database, migrations), revision)


def _config(database: Database, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["engine"] = database.engine
    return config
