"""All mapped classes, and the migrations of a database."""

from pathlib import Path
from typing import Literal

from onboarding.store import (  # noqa: F401  # importing them maps their classes
    allowed_teams,
    api_keys,
    attempts,
    audit,
    bulk,
    channel_endpoints,
    connection_words,
    connections,
    contexts,
    environments,
    event_sequences,
    idempotency,
    installations,
    integrations,
    links,
    logos,
    operators,
    origins,
    revocations,
    sign_ins,
    slack_events,
    subscribers,
    webhook_deliveries,
    webhook_endpoints,
    webhook_tries,
    workers,
)
from onboarding.store.database import Base, Database

METADATA = Base.metadata


def upgrade(database: Database, migrations: Path, revision: str = "head") -> None:
    """Migrate the database to a newer revision. Raises StorageProblem if it is locked or does not answer."""
    _run("upgrade", database, migrations, revision)


def downgrade(database: Database, migrations: Path, revision: str) -> None:
    """Migrate the database back to a revision. Raises StorageProblem as `upgrade` does."""
    _run("downgrade", database, migrations, revision)


def is_current(database: Database, migrations: Path) -> bool:
    """Return whether the last migration of the database is the newest one. Raises StorageProblem."""
    newest = max(path.name for path in (migrations / "versions").glob("[0-9]*.py")).partition("_")[0]
    with database.rows() as rows:
        return bool(rows.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == newest)


def _run(name: Literal["upgrade", "downgrade"], database: Database, migrations: Path, revision: str) -> None:
    # Imported here, because a web process never migrates: the import would cost it 11 MB and a fifth of its start time.
    from alembic import command, config

    options = config.Config()
    options.set_main_option("script_location", str(migrations))
    options.attributes["engine"] = database.engine
    with database.faults():
        getattr(command, name)(options, revision)
