"""All mapped classes together, and bringing a database to the newest migration."""

from pathlib import Path

from onboarding.store import (
    api_keys,
    attempts,
    audit,
    channel_endpoints,
    connections,
    contexts,
    environments,
    idempotency,
    installations,
    integrations,
    links,
    operators,
    subscribers,
)
from onboarding.store.database import Base, Database

TABLES = (
    idempotency,
    api_keys,
    attempts,
    audit,
    connections,
    contexts,
    channel_endpoints,
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
        _run("upgrade", database, migrations, revision)


def downgrade(database: Database, migrations: Path, revision: str) -> None:
    _run("downgrade", database, migrations, revision)


def _run(what: str, database: Database, migrations: Path, revision: str) -> None:
    # Imported here: a web process never migrates, and would start a fifth later and carry 11 MB of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["engine"] = database.engine
    getattr(command, what)(config, revision)
