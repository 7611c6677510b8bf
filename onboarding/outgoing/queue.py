"""Put durable work into the caller's transaction. `onboarding worker` runs it (`onboarding/jobs`).

A piece of work is stored with DBOS in the same database as the change that asks for it, so it runs if and only if the
change is committed: https://docs.dbos.dev/python/reference/client.
"""

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from onboarding.work import APPLICATION, SCHEMA, Work

if TYPE_CHECKING:
    from dbos import DBOSClient

#: Addresses of databases that are never opened: they choose DBOS's SQL dialect, each call passes its connection.
_DIALECTS = {"sqlite": "sqlite:///unused.sqlite3", "postgresql": "postgresql+psycopg://unused@unused/unused"}


def enqueue(session: Any, work: Work) -> None:
    """Enqueue work in the transaction of `session`, an SQLAlchemy session or connection."""
    _client(_dialect(session)).enqueue_in_transaction(session, _options(work), *work.arguments)


def enqueue_once(session: Any, work: Work, deduplication_id: str) -> bool:
    """Enqueue work unless unfinished work with this deduplication id is in its queue. Return whether it was enqueued.

    It uses a savepoint, because a duplicate would abort the caller's transaction on PostgreSQL. DBOS forgets the id of
    work that a dead worker left, so a second run of the work must have no effect.
    """
    options = _options(work)
    options["deduplication_id"] = deduplication_id
    try:
        with session.begin_nested():
            _client(_dialect(session)).enqueue_in_transaction(session, options, *work.arguments)
    except _dbos().error.DBOSQueueDeduplicatedError:
        return False
    return True


def _options(work: Work) -> Any:
    options: dict[str, object] = {"queue_name": work.queue.value, "workflow_name": work.workflow}
    if work.delay_seconds:
        options["delay_seconds"] = work.delay_seconds
    return options


def _dialect(session: Any) -> str:
    bind = session.get_bind() if hasattr(session, "get_bind") else session
    name: str = bind.dialect.name
    return name


@cache
def _client(dialect: str) -> "DBOSClient":
    dbos = _dbos()
    client: DBOSClient = dbos.DBOSClient(
        system_database_url=_DIALECTS[dialect],
        dbos_system_schema=SCHEMA,
        serializer=dbos.DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
    )
    return client


def _dbos() -> ModuleType:
    """Import DBOS. It takes most of a second and 15 MB, which processes that enqueue nothing do not need."""
    import dbos

    return dbos
