"""The durable work that web processes and commands enqueue and that `onboarding worker` runs."""

from dataclasses import dataclass
from enum import StrEnum

#: The application's name in DBOS's tables, and the schema of these tables on PostgreSQL. SQLite has no schemas.
APPLICATION = "onboarding"
SCHEMA = "dbos"


class Queue(StrEnum):
    """The queues. `onboarding/jobs/durable.py` limits how much of each a worker runs at a time."""

    #: Webhooks to hosts.
    WEBHOOKS = "webhooks"
    #: Calls to Slack, and events from Slack.
    SLACK = "slack"
    #: Scheduled maintenance.
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a workflow. Its arguments are stored unencrypted: pass ids, never a secret or a customer's data."""

    queue: Queue
    #: The name of a `Workflow` in `onboarding/jobs`.
    workflow: str
    arguments: tuple[str | int, ...]
    delay_seconds: float = 0
