"""Delete DBOS's records of finished work, which no code reads."""

from datetime import timedelta

from dbos import DBOS

from onboarding import clock
from onboarding.jobs.definitions import Schedule
from onboarding.runtime import Runtime

_KEPT = timedelta(hours=1)
_BATCH = 500
_FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


def jobs(_runtime: Runtime) -> tuple[Schedule, ...]:
    return (Schedule("delete-finished-work", "0 */10 * * * *", _delete),)


def _delete() -> None:
    until = (clock.now() - _KEPT).isoformat()
    while True:
        found = DBOS.list_workflows(
            status=_FINISHED, completed_before=until, limit=_BATCH, load_input=False, load_output=False
        )
        DBOS.delete_workflows([one.workflow_id for one in found])
        if len(found) < _BATCH:
            return
