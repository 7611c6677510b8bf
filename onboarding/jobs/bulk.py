"""Continue bulk runs of the console."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime
from onboarding.services.connections.bulk import WORKFLOW


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow(WORKFLOW, runtime.bulk.work),
        Schedule("enqueue-lost-bulk-runs", "30 * * * * *", runtime.bulk.enqueue_lost),
    )
